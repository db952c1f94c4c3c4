"""Host patterns with Ansible's meaning: `all`, names, globs, `~regex`, unions, `!` exclusion, `&` intersection."""

from __future__ import annotations

import fnmatch
import re
import warnings
from collections.abc import Mapping

from scupi_provision.errors import InputError, Position
from scupi_provision.source import diagnostic, suggestion
from scupi_provision.values import SourceText

_SUBSCRIPT = re.compile(r"(?P<name>.+)\[(?P<first>-?\d+)(?:(?P<range>[:-])(?P<last>-?\d*))?\]")
_SEPARATOR = re.compile(r":(?![^\[]*\])")
"""A colon that does not stand inside brackets (`web[0:2]` is one name)."""


def match_pattern(pattern: str, members: Mapping[str, tuple[str, ...]]) -> list[str]:
    """Names of the hosts that `pattern` stands for, in the inventory's order.

    Args:
        pattern: The pattern; its place is reported when it is a SourceText.
        members: For every host and every group the names of its hosts; `all` holds all of them in order.

    Raises:
        InputError: A part names no known host or group, or is not a regular expression.
    """
    where = pattern.position if isinstance(pattern, SourceText) else None
    parts = [part.strip() for part in (pattern.split(",") if "," in pattern else _SEPARATOR.split(pattern))]
    parts = [part for part in parts if part]
    if not parts:
        raise InputError.of([diagnostic("the host pattern is empty", where, hint='write "all" for every host')])
    unions = [part for part in parts if part[0] not in "!&"] or ["all"]
    chosen = {name for part in unions for name in _match_part(part, members, where)}
    for part in parts:
        if part.startswith("&"):
            chosen &= set(_match_part(part[1:], members, where))
    for part in parts:
        if part.startswith("!"):
            chosen -= set(_match_part(part[1:], members, where))
    return [name for name in members["all"] if name in chosen]


def _match_part(part: str, members: Mapping[str, tuple[str, ...]], where: Position | None) -> tuple[str, ...]:
    if part == "*":
        return members["all"]
    if part in members:
        return members[part]
    if part.startswith("~"):
        return _match_names(_regex(part[1:], where), members)
    if subscript := _SUBSCRIPT.fullmatch(part):
        return _subscript(_match_part(subscript["name"], members, where), subscript)
    if any(character in part for character in "*?["):
        return _match_names(re.compile(fnmatch.translate(part)), members)
    hint = suggestion(part, members) or f"known: {', '.join(members)}"
    raise InputError.of([diagnostic(f'no host or group is called "{part}"', where, hint=hint)])


def _regex(text: str, where: Position | None) -> re.Pattern[str]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Python's advice about future syntax is not for people with an inventory
            return re.compile(text)
    except re.error as error:
        summary = f'"~{text}" is not a regular expression: {error}'
        raise InputError.of([diagnostic(summary, where)]) from None


def _match_names(expression: re.Pattern[str], members: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(host for name, hosts in members.items() if expression.match(name) for host in hosts)


def _subscript(hosts: tuple[str, ...], match: re.Match[str]) -> tuple[str, ...]:
    """`web[0]` is the first host, `web[0:1]` the first two: Ansible's ranges include their end."""
    first = int(match["first"])
    if not match["range"]:
        return hosts[first:][:1]
    last = int(match["last"]) if match["last"] else -1
    return hosts[first:] if last == -1 else hosts[first : last + 1]
