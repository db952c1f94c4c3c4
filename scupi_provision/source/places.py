"""Lines and columns: from offsets in a text to positions, and from positions to the line that people see."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass, field
from pathlib import Path

from scupi_provision.errors import Diagnostic, Position
from scupi_provision.vault.format import is_vault

MAX_BYTES = 1_000_000
"""The largest source file that is read; a longer one is a mistake (or an attack), not a playbook."""

_LINE_BREAK = re.compile(r"\r\n|\n|\r")
_LONGEST_EXCERPT = 500


@dataclass(frozen=True)
class Lines:
    """A text cut into lines as editors count them (YAML would also break at U+0085, U+2028 and U+2029)."""

    text: str
    name: str
    starts: list[int] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "starts", [0, *(match.end() for match in _LINE_BREAK.finditer(self.text))])

    def position(self, offset: int) -> Position:
        """The place of the character at `offset`; the end of the text when it lies beyond."""
        offset = min(offset, len(self.text))
        index = bisect_right(self.starts, offset) - 1
        return Position(self.name, index + 1, offset - self.starts[index] + 1)

    def offset(self, position: Position) -> int | None:
        """The inverse of `position`, or None when the text has no such line."""
        if not 1 <= position.line <= len(self.starts):
            return None
        return min(self.starts[position.line - 1] + position.column - 1, len(self.text))

    def line(self, number: int) -> str:
        """Line `number` (from 1) without its line break; "" when there is none."""
        if not 1 <= number <= len(self.starts):
            return ""
        end = self.starts[number] if number < len(self.starts) else len(self.text)
        return self.text[self.starts[number - 1] : end].rstrip("\r\n")


def source_lines(name: str) -> Lines | None:
    """The lines of the file called `name`, for an error message; None when it cannot be read (any more)."""
    path = Path(name)
    try:
        if not path.is_file() or path.stat().st_size > MAX_BYTES:
            return None
        content = path.read_bytes()
        # Positions in a vault are those of what is in it, and that is not shown.
        return None if is_vault(content) else Lines(content.decode("utf-8-sig", errors="replace"), name)
    except (OSError, ValueError):  # an error message must not fail because its file has gone
        return None


def excerpt(position: Position) -> str:
    """The text of the line at `position`, read from its file; "" when that is not possible."""
    lines = source_lines(position.file)
    return shown(lines.line(position.line)) if lines else ""


def shown(line: str) -> str:
    """A source line fit for a terminal: control characters as `�`, tabs as one space (columns stay true)."""
    cut = line[:_LONGEST_EXCERPT].replace("\t", " ")
    return "".join(char if char.isprintable() else "�" for char in cut)


def diagnostic(summary: str, where: Position | None, *, detail: str = "", hint: str = "") -> Diagnostic:
    """One thing that is wrong, with the line at `where` read from its file."""
    return Diagnostic(summary, where, excerpt(where) if where else "", detail, hint)
