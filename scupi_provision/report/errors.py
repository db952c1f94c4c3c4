"""Errors as a modern compiler shows them: what, where, the line with a caret, why, and what to try."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from scupi_provision.errors import Diagnostic, InputError, Position, ProvisionError
from scupi_provision.report import style
from scupi_provision.report.masked import masked
from scupi_provision.report.visible import TAB_STOP, visible, visible_character, visible_lines
from scupi_provision.report.wording import counted

_ELLIPSIS = "..."
_NARROWEST = 20
"""Cells that an excerpt gets even when the terminal is narrower than that."""


def render_error(error: ProvisionError, console: Console) -> None:
    """Print every diagnostic of `error`, sorted by file and line, and their number when there are several."""
    for line in error_lines(error, console.width):
        console.print(line, soft_wrap=True)


def error_text(error: ProvisionError, width: int = 100) -> str:
    """What `render_error` prints on a console of `width` cells, without colour; ends without a line break."""
    return "\n".join(line.plain for line in error_lines(error, width))


def error_lines(error: ProvisionError, width: int) -> list[Text]:
    """The lines of `render_error`. Lines of source are cut to `width` cells around the caret."""
    diagnostics = sorted(map(masked, error.diagnostics), key=_by_place)
    lines: list[Text] = []
    for diagnostic in diagnostics:
        if lines:
            lines.append(Text())
        lines += diagnostic_lines(diagnostic, width)
    if len(diagnostics) > 1:
        untouched = "; no host was touched" if isinstance(error, InputError) else ""
        lines += [Text(), Text(f"{counted(len(diagnostics), 'error')}{untouched}", style=style.ERROR)]
    return lines


def diagnostic_lines(diagnostic: Diagnostic, width: int) -> list[Text]:
    """One diagnostic: `error:`, `-->`, the excerpt with its caret, detail, `hint:`."""
    lines = [headline("error", diagnostic.summary, style.ERROR)]
    if diagnostic.where:
        lines += place_lines(diagnostic.where, diagnostic.excerpt, width)
    lines += indented(visible_lines(diagnostic.detail))
    lines += hint_lines(diagnostic.hint)
    return lines


def headline(kind: str, summary: str, kind_style: str) -> Text:
    """`kind: summary`; further lines of the summary are indented under the first."""
    first, *rest = visible_lines(summary) or [""]
    text = Text.assemble((f"{kind}:", kind_style), " ", (first, style.HEADING))
    for line in rest:
        text.append(f"\n  {line}", style=style.HEADING)
    return text


def hint_lines(hint: str) -> list[Text]:
    """`hint: ...`, further lines aligned under the first; nothing when there is no hint."""
    if not hint:
        return []
    first, *rest = visible_lines(hint) or [""]
    return [Text.assemble(("hint:", style.HINT), " ", first), *indented(rest, " " * len("hint: "))]


def indented(lines: Iterable[str], indent: str = "  ") -> list[Text]:
    """Lines that are already visible, each behind `indent`."""
    return [Text(indent + line) for line in lines]


def place_lines(where: Position, excerpt: str, width: int) -> list[Text]:
    """`--> file:line:column` and, when there is an excerpt, the line behind a gutter and a caret under the column."""
    number = str(where.line)
    gutter = " " * len(number)
    arrow = Text.assemble((f"{gutter}-->", style.GUTTER), " ", visible(str(where)))
    if not excerpt.strip():
        return [arrow]
    line, caret_cell = excerpt_window(excerpt, where.column, width - len(number) - len(" | "))
    return [
        arrow,
        Text(f"{gutter} |", style=style.GUTTER),
        Text.assemble((f"{number} |", style.GUTTER), " ", line),
        Text.assemble((f"{gutter} |", style.GUTTER), " ", " " * caret_cell, ("^", style.ERROR)),
    ]


def excerpt_window(excerpt: str, column: int, width: int) -> tuple[str, int]:
    """A line of source as it is shown, and the cell (from 0) of the character in `column` (from 1).

    Tabs become spaces, control characters escapes, wide characters take two cells. A line of more than `width` cells
    is cut on the side(s) away from the caret, each cut marked with "...".
    """
    pieces = _shown_pieces(excerpt.split("\n", 1)[0].rstrip("\r"))
    target = min(max(column - 1, 0), len(pieces))
    start, end = _window(pieces, target, max(width, _NARROWEST))
    left = _ELLIPSIS if start > 0 else ""
    right = _ELLIPSIS if end < len(pieces) else ""
    caret_cell = cell_len(left + "".join(pieces[start:target]))
    return left + "".join(pieces[start:end]) + right, caret_cell


def _shown_pieces(line: str) -> list[str]:
    """What is shown for each character of `line`, one piece a character, so that columns can be counted."""
    pieces: list[str] = []
    cells = 0
    for character in line:
        piece = " " * (TAB_STOP - cells % TAB_STOP) if character == "\t" else visible_character(character)
        cells += cell_len(piece)
        pieces.append(piece)
    return pieces


def _window(pieces: Sequence[str], target: int, width: int) -> tuple[int, int]:
    """The range of pieces to show: all of them, or as many around `target` as fit beside the two ellipses."""
    if cell_len("".join(pieces)) <= width:
        return 0, len(pieces)
    room = width - 2 * len(_ELLIPSIS)
    start = end = target
    used = 0
    while end < len(pieces) and used < room // 2:
        used += cell_len(pieces[end])
        end += 1
    while start > 0 and used + cell_len(pieces[start - 1]) <= room:
        start -= 1
        used += cell_len(pieces[start])
    while end < len(pieces) and used + cell_len(pieces[end]) <= room:
        used += cell_len(pieces[end])
        end += 1
    return start, end


def _by_place(diagnostic: Diagnostic) -> tuple[bool, str, int, int]:
    """Those without a place come last: a reader goes through the files first."""
    where = diagnostic.where
    return (where is None, where.file if where else "", where.line if where else 0, where.column if where else 0)
