"""Host patterns with Ansible's meaning: `all`, names, globs, `~regex`, unions, `!x`, `&x`, slices."""

from __future__ import annotations

import fnmatch
import re
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from scupi_provision.errors import Diagnostic, InputError, Position
from scupi_provision.inventory.host_words import is_address
from scupi_provision.source import diagnostic, suggestion
from scupi_provision.values import SourceText

_SUBSCRIPT = re.compile(r"(?P<name>.+)\[(?:(?P<index>-?\d+)|(?P<first>\d+)[:-](?P<last>\d*))\]")
_PARTS = re.compile(r"(?:[^\s:\[\]]|\[[^\]]*\])+")
"""What stands between colons; one inside brackets separates nothing (`web[0:2]` is one name)."""
_GLOB = re.compile(r"[.?*\[]")
"""Ansible looks for hosts beside groups when a pattern has one of these; a dot is no wildcard, but in many names."""


@dataclass(frozen=True)
class Matched:
    """What a pattern stands for.

    Attributes:
        names: Hosts, in the order in which the pattern names them.
        unknown: What is to be said of each part that nothing in the inventory matches.
    """

    names: tuple[str, ...]
    unknown: tuple[Diagnostic, ...] = ()


def match_pattern(
    pattern: str, groups: Mapping[str, Sequence[str]], hosts: Sequence[str], implicit: Sequence[str] = ()
) -> Matched:
    """The hosts that `pattern` stands for.

    Args:
        pattern: The pattern; its place is reported when it is a SourceText.
        groups: For every group (`all` too) its hosts in order.
        hosts: Every host in order.
        implicit: Names that stand for a host of their own although they are in no group.

    Raises:
        InputError: The pattern is empty, has a regular expression that is none, or an index that no host has.
    """
    where = pattern.position if isinstance(pattern, SourceText) else None
    parts = split_pattern(pattern)
    if not parts:
        raise InputError.of([diagnostic("the host pattern is empty", where, hint='write "all" for every host')])
    matching = _Matching(groups, hosts, implicit, where)
    chosen: dict[str, None] = {}
    for part in [part for part in parts if part[0] not in "!&"] or ["all"]:
        chosen.update(dict.fromkeys(matching.part(part)))
    for part in parts:
        if part[0] == "&":
            both = set(matching.part(part[1:]))
            chosen = {name: None for name in chosen if name in both}
    for part in parts:
        if part[0] == "!":
            without = set(matching.part(part[1:]))
            chosen = {name: None for name in chosen if name not in without}
    return Matched(tuple(chosen), tuple(matching.unknown))


def split_pattern(pattern: str) -> list[str]:
    """The parts of a pattern: what stands between commas, or, where there is none, between colons."""
    if "," in pattern:
        parts = pattern.split(",")
    elif is_address(pattern):
        parts = [str(pattern)]
    else:
        parts = _PARTS.findall(pattern)
    return [part.strip() for part in parts if part.strip() and part.strip() not in {"!", "&"}]


@dataclass
class _Matching:
    groups: Mapping[str, Sequence[str]]
    hosts: Sequence[str]
    implicit: Sequence[str]
    where: Position | None
    unknown: list[Diagnostic] = field(default_factory=list)

    def part(self, part: str) -> list[str]:
        if part in self.hosts:
            return [part]
        found = None if part.startswith("~") else _SUBSCRIPT.fullmatch(part)
        if not found:
            return self._names(part)
        return self._subscript(part, self._names(found["name"]), found)

    def _names(self, part: str) -> list[str]:
        fits = _fitting(part, self.where)
        groups = [name for name in self.groups if fits(name)]
        found = dict.fromkeys(host for group in groups for host in self.groups[group])
        if not groups or part.startswith("~") or _GLOB.search(part):
            found.update(dict.fromkeys(host for host in self.hosts if fits(host)))
        if not found and part in self.implicit:
            return [part]
        if not found and not groups and part != "all":
            self._miss(part)
        return list(found)

    def _miss(self, part: str) -> None:
        known = [*self.groups, *self.hosts]
        hint = suggestion(part, known) or f"known: {', '.join(dict.fromkeys(known))}"
        self.unknown.append(diagnostic(f'no host or group is called "{part}"', self.where, hint=hint))

    def _subscript(self, part: str, hosts: list[str], found: re.Match[str]) -> list[str]:
        """`web[0]` is the first host, `web[-1]` the last, `web[0:1]` the first two: ranges include their end."""
        if found["index"] is None:
            last = int(found["last"] or len(hosts))
            return hosts[int(found["first"]) : last + 1]
        index = int(found["index"])
        if not hosts:
            return []
        if not -len(hosts) <= index < len(hosts):
            hint = f"there are {len(hosts)}; the first is [0], the last [-1]"
            raise InputError.of([diagnostic(f'"{part}" has no such host', self.where, hint=hint)])
        return [hosts[index]]


def _fitting(part: str, where: Position | None) -> Callable[[str], object]:
    """Whether a name is meant by `part`, from its beginning (a regular expression) or as a whole."""
    if not part.startswith("~"):
        return re.compile(fnmatch.translate(part)).match
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Python's advice about future syntax is not for people with an inventory
            return re.compile(part[1:]).match
    except re.error as error:
        summary = f'"{part}" is not a regular expression: {error}'
        raise InputError.of([diagnostic(summary, where)]) from None
