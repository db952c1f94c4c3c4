"""Lines of an INI file: finding a section, and changing an option in it as `community.general.ini_file` documents."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from scupi_provision.modules.ini_change import Change

Bounds = tuple[int, int]
"""A section's lines: from its header (or the top of the file) to before the next one."""
Conditions = Sequence[tuple[str, list[str]]]
_NOTHING = re.compile(r"[ \t]*([#;].*)?\n?")


@dataclass(frozen=True)
class _Match:
    active: bool
    value: str


def _option(name: str, line: str, *, inactive: bool = True) -> _Match | None:
    mark = r"[ \t]*([#;]?)[ \t]*" if inactive else r"()[ \t]*"
    found = re.match(rf"{mark}{re.escape(name)}[ \t]*(?:=|$)[ \t]*(.*)", line)
    return _Match(not found[1], found[2]) if found else None


def section_bounds(lines: Sequence[str], section: str | None, conditions: Conditions) -> Bounds | None:
    """Where the section is whose options are as the conditions say; None when there is none."""
    heads = [number for number, line in enumerate(lines) if line.startswith("[")]
    if not section:
        first = heads[0] if heads else len(lines)
        return (0, first) if _has(lines[:first], conditions) else None
    wanted = re.compile(rf"\[\s*{re.escape(section.strip())}\s*]")
    for begin, end in pairwise([*heads, len(lines)]):
        if wanted.match(lines[begin]) and _has(lines[begin:end], conditions):
            return begin, end
    return None


def _has(lines: Sequence[str], conditions: Conditions) -> bool:
    return all(
        any((found := _option(name, line)) and (not values or found.value in values) for line in lines)
        for name, values in conditions
    )


@dataclass
class Document:
    """The lines of a file, each with its end, while they are changed."""

    lines: list[str]
    changed: bool = False
    _done: set[int] = field(default_factory=set)
    _altered: set[int] = field(default_factory=set)

    @classmethod
    def read(cls, text: str) -> Document:
        """A file's text; an empty file counts as one empty line, and a last line without an end gets one."""
        lines = text.splitlines(keepends=True) if "\r" not in text else re.findall(r"[^\n]*\n|[^\n]+", text)
        if not lines:
            return cls(["\n"])
        unfinished = not lines[-1].endswith("\n")
        lines[-1] += "\n" * unfinished
        return cls(lines, changed=unfinished)

    def text(self) -> str:
        """The file's text."""
        return "".join(self.lines)

    # --- absent -------------------------------------------------------------------------------------------------------

    def remove(self, change: Change, bounds: Bounds | None) -> str:
        """Take the option, some of its values, or the whole section away; says what was done."""
        if bounds is None:
            return "OK"
        begin, end = bounds
        if change.option is None:
            kept, message = [], "section removed"
        else:
            kept, message = [line for line in self.lines[begin:end] if not _goes(change, line)], "option changed"
        if len(kept) == end - begin:
            return "OK"
        self.lines[begin:end], self.changed = kept, True
        return message

    # --- present ------------------------------------------------------------------------------------------------------

    def append_section(self, change: Change, section: str, conditions: Conditions) -> str:
        """Put a new section at the end of the file."""
        values = list(change.values)
        added = [f"[{section}]\n"]
        for name, wanted in conditions:
            if name != change.option:
                added += [change.line(value, name) for value in wanted]
                added += [f"{name}\n"] * (not wanted and change.allow_no_value)
            elif not change.exclusive:
                values += [value for value in wanted if value not in values]
        options = [change.line(value) for value in values] if change.option else []
        if change.option and not values and change.allow_no_value:
            options = [change.line(None)]
        self.lines += added + options
        self.changed = True
        return "section and option added" if options else "only section added"

    def put(self, change: Change, bounds: Bounds) -> str:
        """Give the option its values within the section; says what was done."""
        if change.option is None:
            return "OK"
        begin, end = bounds
        section, message = self.lines[begin:end], "OK"
        left = list(change.values)
        plain = self._keep(change, section, left)
        if change.exclusive and not change.allow_no_value:
            self._override(change, section, left)
            message = self._drop(change, section)
        message = "option changed" if self._done & self._altered else message
        missing = [change.line(value) for value in left]
        if not left and change.allow_no_value and not change.values and not plain:
            missing = [change.line(None)]
        if missing:
            self._insert(section, missing)
            message = "option added"
        self.lines[begin:end] = section
        return message

    def _keep(self, change: Change, section: list[str], left: list[str]) -> bool:
        """Lines that have one of the values stay, in our spelling; whether the option without a value is there."""
        for number, line in enumerate(section):
            found = _option(change.option or "", line, inactive=change.inactive)
            if found is None:
                continue
            if change.values and found.value in left:
                bare = not found.value and change.allow_no_value
                self._rewrite(change, section, number, None if bare else found.value)
                left.remove(found.value)
            elif not change.values and change.allow_no_value:
                self._rewrite(change, section, number, None)
                return True
        return False

    def _override(self, change: Change, section: list[str], left: list[str]) -> None:
        for number, line in enumerate(section):
            if not left:
                return
            if number not in self._done and _option(change.option or "", line, inactive=change.inactive):
                self._rewrite(change, section, number, left.pop(0))

    def _drop(self, change: Change, section: list[str]) -> str:
        gone = [
            number
            for number, line in enumerate(section)
            if number not in self._done and _option(change.option or "", line, inactive=change.inactive)
        ]
        for number in reversed(gone):
            del section[number]
        self.changed = self.changed or bool(gone)
        return "option changed" if gone else "OK"

    def _rewrite(self, change: Change, section: list[str], number: int, value: str | None) -> None:
        self._done.add(number)
        line = change.line(value)
        before = _option(change.option or "", section[number], inactive=change.inactive)
        if change.ignore_spaces and before and before.active and before.value == (value or ""):
            return
        if section[number] != line:
            section[number], self.changed = line, True
            self._altered.add(number)

    def _insert(self, section: list[str], added: list[str]) -> None:
        """After the last line that says something; the header does."""
        at = len(section)
        while at and _NOTHING.fullmatch(section[at - 1]):
            at -= 1
        section[at:at] = added
        self.changed = True


def _goes(change: Change, line: str) -> bool:
    found = _option(change.option or "", line, inactive=False)
    return found is not None and (change.exclusive or found.value in change.values)
