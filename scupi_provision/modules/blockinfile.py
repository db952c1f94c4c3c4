"""`blockinfile`: lines between two markers in a text file. Everything outside the markers stays byte for byte."""

from __future__ import annotations

import re
from typing import Literal

from pydantic import model_validator

from scupi_provision.host.record import TaskFailedError
from scupi_provision.host.view import HostView
from scupi_provision.modules.contract import AliasChoices, Boolean, Field, Module, Result, Text
from scupi_provision.modules.text_lines import EditArgs, end_last_line, line_end, pattern, read_lines, save


class Args(EditArgs):
    """Keep a block of lines, between two marker lines, in a text file."""

    block: Text = Field(
        "", description="The lines; none removes the block.", validation_alias=AliasChoices("block", "content")
    )
    marker: Text = Field(
        "# {mark} ANSIBLE MANAGED BLOCK",
        description="The marker lines; `{mark}` becomes marker_begin and marker_end. Each block needs its own.",
    )
    marker_begin: Text = Field("BEGIN", description="What `{mark}` is in the line above the block.")
    marker_end: Text = Field("END", description="What `{mark}` is in the line below the block.")
    state: Literal["present", "absent"] = Field("present", description="Whether the block shall be there.")
    append_newline: Boolean = Field(default=False, description="An empty line between the block and what follows.")
    prepend_newline: Boolean = Field(default=False, description="An empty line between the block and what precedes.")

    @model_validator(mode="after")
    def _fitting(self) -> Args:
        if self.insertafter is not None and self.insertbefore is not None:
            raise ValueError("insertafter and insertbefore cannot be used together")
        for name in ("insertafter", "insertbefore"):
            pattern(getattr(self, name), name)
        if "{mark}" not in self.marker:
            raise ValueError('marker needs {mark}, such as "# {mark} my block"')
        begin, end = _markers(self)
        if begin == end or b"\n" in begin + end:
            raise ValueError("the two markers must be two different lines")
        if {begin, end} & {line.rstrip(b"\r") for line in self.block.encode("utf-8", "surrogateescape").split(b"\n")}:
            raise ValueError("block holds one of its own markers")
        return self


def _markers(args: Args) -> tuple[bytes, bytes]:
    begin, end = (args.marker.replace("{mark}", mark) for mark in (args.marker_begin, args.marker_end))
    return begin.encode("utf-8", "surrogateescape"), end.encode("utf-8", "surrogateescape")


def plan(args: Args, host: HostView) -> Result:
    """Plan the file with the block in its place, or without it."""
    path, lines = read_lines(host, args)
    present = args.state == "present"
    if lines is None:
        if not present:
            return Result(changed=False, values={"path": path, "msg": "File not present"})
        if not args.create:
            raise TaskFailedError(f"{path} does not exist; create: true makes it")
        lines = []
    before = list(lines)
    ending = line_end(lines)
    at = _take_out(lines, _markers(args))
    block = _block(args, ending) if present else []
    if at is None:
        at = _place(args, lines)
    if block:
        end_last_line(lines, at)
    _insert(args, lines, at, block, ending)
    message = "" if lines == before else "Block inserted" if block else "Block removed"
    return save(host, args, path, lines, message)


def _block(args: Args, ending: bytes) -> list[bytes]:
    if not args.block:
        return []
    begin, end = _markers(args)
    text = args.block.encode("utf-8", "surrogateescape").replace(b"\r\n", b"\n").removesuffix(b"\n")
    return [line + ending for line in (begin, *text.split(b"\n"), end)]


def _take_out(lines: list[bytes], markers: tuple[bytes, bytes]) -> int | None:
    """Remove the block with its markers; where it was, or None when there is none.

    Only a begin that is followed by its end, with no other begin between, is a block: a marker that has lost its
    partner never makes lines of the user part of one.
    """
    begin_at = block = None
    for number, line in enumerate(lines):
        text = line.rstrip(b"\r\n")
        if text == markers[0]:
            begin_at = number
        elif text == markers[1] and begin_at is not None:
            block, begin_at = (begin_at, number), None
    if block is None:
        return None
    del lines[block[0] : block[1] + 1]
    return block[0]


def _place(args: Args, lines: list[bytes]) -> int:
    """Where a new block goes: as Ansible, beside the last line that matches, else at the end."""
    if args.insertbefore == "BOF" or args.insertafter == "BOF":
        return 0
    near = args.insertbefore or (args.insertafter if args.insertafter != "EOF" else None)
    place = pattern(near, "insertafter")
    if place is None:
        return len(lines)
    content = b"".join(lines)
    if place.flags & re.MULTILINE:
        match = place.search(content)
        found = [content.count(b"\n", 0, match.end() if args.insertafter else match.start())] if match else []
    else:
        found = [number for number, line in enumerate(lines) if place.search(line)]
    if not found:
        return len(lines)
    return min(found[-1] + (1 if args.insertafter else 0), len(lines))


def _insert(args: Args, lines: list[bytes], at: int, block: list[bytes], ending: bytes) -> None:
    if not block:
        return
    if args.prepend_newline and at and lines[at - 1].strip(b"\r\n"):
        block = [ending, *block]
    if args.append_newline and at < len(lines) and lines[at].strip(b"\r\n"):
        block = [*block, ending]
    lines[at:at] = block


MODULE = Module("blockinfile", Args, plan, aliases=("ansible.builtin.blockinfile",))
