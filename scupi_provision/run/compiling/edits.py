"""Changes of files of which only a part is ours, told apart from the part that nobody has seen."""

from __future__ import annotations

from typing import Any

from scupi_provision.plan.models import Step
from scupi_provision.shell.standalone import Edit


def edit_of(step: Step, before: bytes, after: bytes) -> Edit | None:
    """What a step adds to a file; None when it does more than to add lines at the top or at the end."""
    marks = marks_of(step)
    if after.endswith(before):
        return Edit(after[: len(after) - len(before)], at_top=True, marks=marks)
    if after.startswith(before):
        return Edit(after[len(before) :], at_top=False, marks=marks)
    return None


def marks_of(step: Step) -> tuple[bytes, ...]:
    """The marker lines of a step's block, or the line that it takes away; none for others."""
    args: Any = step.args
    if step.module is None:
        return ()
    if step.module.name == "blockinfile":
        found = (args.marker.replace("{mark}", mark) for mark in (args.marker_begin, args.marker_end))
        return tuple(text.encode("utf-8", "surrogateescape") for text in found)
    if step.module.name == "lineinfile" and args.state == "absent":
        return ((args.line or "").encode("utf-8", "surrogateescape"),)
    return ()
