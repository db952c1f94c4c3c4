"""`lineinfile`: one line of a text file. The rules are Ansible's, to the letter."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from pydantic import field_validator, model_validator

from scupi_provision.host.record import TaskFailedError
from scupi_provision.host.view import HostView
from scupi_provision.modules.contract import AliasChoices, Boolean, Field, Module, Result, Text
from scupi_provision.modules.text_lines import EditArgs, end_last_line, line_end, pattern, read_lines, save


class Args(EditArgs):
    """Make sure that a line is in a text file, or replace the line that an expression matches, or remove lines."""

    line: Text | None = Field(None, description="The line.", validation_alias=AliasChoices("line", "value"))
    regexp: Text | None = Field(
        None,
        description="Replace the last line that this matches; with state: absent, remove all that it matches.",
        validation_alias=AliasChoices("regexp", "regex"),
    )
    search_string: Text | None = Field(None, description="Like regexp, with a text that the line must contain.")
    state: Literal["present", "absent"] = Field("present", description="Whether the line shall be there.")
    backrefs: Boolean = Field(
        default=False,
        description="Fill groups of regexp (\\1, \\g<name>) into the line; without a match, nothing.",
    )
    firstmatch: Boolean = Field(default=False, description="Take the first matching line instead of the last.")

    @field_validator("line")
    @classmethod
    def _single(cls, line: str | None) -> str | None:
        line = line if line is None else line.removesuffix("\n")
        if line is not None and "\n" in line:
            raise ValueError("has several lines; use blockinfile, or a loop")
        return line

    @model_validator(mode="after")
    def _fitting(self) -> Args:
        for one, other in (
            ("regexp", "search_string"), ("insertafter", "insertbefore"), ("backrefs", "search_string"),
        ):  # fmt: skip
            if getattr(self, one) and getattr(self, other):
                raise ValueError(f"{one} and {other} cannot be used together")
        if self.state == "present" and self.line is None:
            raise ValueError("line is needed with state: present")
        if (self.line, self.regexp, self.search_string) == (None, None, None):
            raise ValueError("one of line, regexp and search_string is needed")
        if self.backrefs and self.regexp is None:
            raise ValueError("backrefs needs regexp")
        for name in ("regexp", "insertafter", "insertbefore"):
            pattern(getattr(self, name), name)
        return self


@dataclass
class _Found:
    """Where the line that shall be replaced is, and where a new one would go; None when nowhere."""

    at: int | None = None
    match: re.Match[bytes] | None = None
    insert_at: int | None = None


def plan(args: Args, host: HostView) -> Result:
    """Plan the file with the line in its place, or without it."""
    path, lines = read_lines(host, args)
    if args.state == "absent":
        return _remove(args, host, path, lines)
    if lines is None:
        if not args.create:
            raise TaskFailedError(f"{path} does not exist; create: true makes it")
        lines = []
    return save(host, args, path, lines, _place(args, lines))


def _remove(args: Args, host: HostView, path: str, lines: list[bytes] | None) -> Result:
    if lines is None:
        return Result(changed=False, values={"path": path, "msg": "file not present", "found": 0})
    wanted = _wanted(args)
    regexp = pattern(args.regexp, "regexp")

    def goes(line: bytes) -> bool:
        if regexp is not None:
            return regexp.search(line) is not None
        if args.search_string is not None:
            return args.search_string.encode() in line
        return line.rstrip(b"\r\n") == wanted

    kept = [line for line in lines if not goes(line)]
    count = len(lines) - len(kept)
    result = save(host, args, path, kept, f"{count} line(s) removed" if count else "")
    return Result(result.changed, {**result.values, "found": count})


def _wanted(args: Args) -> bytes:
    return (args.line or "").encode("utf-8", "surrogateescape")


def _place(args: Args, lines: list[bytes]) -> str:
    """Put the line where it belongs; what was done, or ""."""
    found = _find(args, lines)
    if found.at is not None:
        wanted = found.match.expand(_wanted(args)) if args.backrefs and found.match else _wanted(args)
        # The line keeps its own end; a last line without one gets one, as in Ansible.
        now = lines[found.at]
        ending = now[len(now.rstrip(b"\r\n")) :] if now.endswith(b"\n") else line_end(lines)
        return _replace(lines, found.at, wanted + ending)
    if args.backrefs:
        return ""
    at = len(lines) if found.insert_at is None else found.insert_at
    if "BOF" in (args.insertbefore, args.insertafter):
        at = 0
    elif args.insertafter and at < len(lines) and lines[at].rstrip(b"\r\n") == _wanted(args):
        return ""  # firstmatch stopped just before it
    end_last_line(lines, at)
    lines.insert(at, _wanted(args) + line_end(lines))
    return "line added"


def _replace(lines: list[bytes], at: int, line: bytes) -> str:
    if lines[at] == line:
        return ""
    lines[at] = line
    return "line replaced"


def _find(args: Args, lines: list[bytes]) -> _Found:
    found = _Found()
    regexp = pattern(args.regexp, "regexp")
    for number, line in enumerate(lines):
        match = regexp.search(line) if regexp else None
        if match or (args.search_string is not None and args.search_string.encode() in line):
            found.at, found.match = number, match
            if args.firstmatch:
                return found
    if found.at is None:
        _find_place(args, lines, found)
    return found


def _find_place(args: Args, lines: list[bytes], found: _Found) -> None:
    """Nothing is to be replaced: the line itself counts, else where a new one goes."""
    near = args.insertafter if args.insertafter not in {None, "BOF", "EOF"} else None
    near = near or (args.insertbefore if args.insertbefore not in {None, "BOF"} else None)
    place = pattern(near, "insertafter")
    for number, line in enumerate(lines):
        if line.rstrip(b"\r\n") == _wanted(args):
            found.at = number
        elif place is not None and place.search(line):
            found.insert_at = number + 1 if args.insertafter else number
            if args.firstmatch:
                return


MODULE = Module("lineinfile", Args, plan, aliases=("ansible.builtin.lineinfile",))
