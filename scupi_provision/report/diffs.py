"""One change of one file, as indented lines a person can check."""

from __future__ import annotations

import difflib
from collections.abc import Iterator

from rich.text import Text

from scupi_provision.events import Diff
from scupi_provision.report import style
from scupi_provision.report.visible import shortened, visible, visible_line
from scupi_provision.report.wording import counted

INDENT = " " * 6
LINE_LIMIT = 80
"""Lines of one diff that are shown; a longer one is cut and says how many were left out."""
WIDTH_LIMIT = 400
"""Characters of one line that are shown: a minified file must not fill the screen."""
_NO_NEWLINE = "\\ No newline at end of file"


def render_diff(diff: Diff) -> list[Text]:
    """The heading (path and summary) and, when there is text, a unified diff; at most `LINE_LIMIT` lines of it."""
    lines = [_heading(diff)]
    body = list(_changed_lines(diff))
    lines += [_coloured(line) for line in body[:LINE_LIMIT]]
    if len(body) > LINE_LIMIT:
        left_out = counted(len(body) - LINE_LIMIT, "more line")
        lines.append(Text(f"{INDENT}... {left_out} left out", style=style.QUIET))
    return lines


def _heading(diff: Diff) -> Text:
    words = diff.summary or _implied_summary(diff)
    if diff.path in words:  # the summary is a whole sentence then, or there is no path to name
        return Text(f"{INDENT}{visible(words)}")
    heading = Text(f"{INDENT}{visible(diff.path)}")
    if words:
        heading.append(f": {visible(words)}", style=style.QUIET)
    return heading


def _implied_summary(diff: Diff) -> str:
    if diff.before is None and diff.after is not None:
        return "new" if diff.after else "new, empty"
    if diff.before is not None and diff.after is None:
        return "removed"
    return ""


def _changed_lines(diff: Diff) -> Iterator[str]:
    """Lines that begin with "+", "-", " " or "@@"; the two "---"/"+++" lines are left to the heading."""
    if diff.before is None and diff.after is None:
        return
    before, after = _source_lines(diff.before), _source_lines(diff.after)
    unified = difflib.unified_diff(before, after, n=3, lineterm="")
    for number, line in enumerate(unified):
        if number < 2 or (number == 2 and not (before and after)):
            continue  # the file names, and the position of the only hunk of a new or removed file
        yield from line.split("\n")


def _source_lines(text: str | None) -> list[str]:
    """Only a line feed ends a line here: a form feed or a lone carriage return stays visible within its line."""
    if not text:
        return []
    lines = text.split("\n")
    if lines[-1] == "":
        return lines[:-1]
    return [*lines[:-1], f"{lines[-1]}\n{_NO_NEWLINE}"]


def _coloured(line: str) -> Text:
    colours = {"+": style.GOOD, "-": style.BAD, "@": style.HINT, "\\": style.QUIET}
    shown = line[:1] + shortened(visible_line(line[1:]), WIDTH_LIMIT)
    return Text(INDENT + shown, style=colours.get(line[:1], ""))
