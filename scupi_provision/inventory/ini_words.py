"""The words of one line of an INI inventory, each with the column where it begins."""

from __future__ import annotations

from scupi_provision.errors import Position
from scupi_provision.values import TemplateText

_BLANK = " \t\r\n"


class WordError(ValueError):
    """A line cannot be cut into words. `column` (from 1) is where it goes wrong."""

    def __init__(self, reason: str, column: int) -> None:
        super().__init__(reason)
        self.column = column


def words_of(line: str, where: Position) -> list[TemplateText]:
    """Cut `line` as POSIX shells quote: '…' and "…" and backslashes; `#` begins a comment, inside of a word too.

    Args:
        line: One line, its indentation included.
        where: The position of its first character.

    Raises:
        WordError: A quote is not closed, or a backslash stands at the end.
    """
    words: list[TemplateText] = []
    index = 0
    while index < len(line) and line[index] != "#":
        if line[index] in _BLANK:
            index += 1
            continue
        text, end = _word(line, index)
        words.append(TemplateText(text, Position(where.file, where.line, where.column + index)))
        index = end
    return words


def _word(line: str, start: int) -> tuple[str, int]:
    text, index = "", start
    while index < len(line) and line[index] not in _BLANK and line[index] != "#":
        character = line[index]
        if character in "'\"":
            part, index = _quoted(line, index)
            text += part
        elif character == "\\":
            if index + 1 == len(line):
                raise WordError("a backslash stands at the end of the line", index + 1)
            text += line[index + 1]
            index += 2
        else:
            text += character
            index += 1
    return text, index


def _quoted(line: str, start: int) -> tuple[str, int]:
    """What is between the quote at `start` and the next like it; a backslash counts in double quotes alone."""
    quote, text, index = line[start], "", start + 1
    while index < len(line):
        character = line[index]
        if character == quote:
            return text, index + 1
        if character == "\\" and quote == '"' and line[index + 1 : index + 2] in {'"', "\\"}:
            index += 1
        text += line[index]
        index += 1
    raise WordError("a quote is opened here and never closed", start + 1)
