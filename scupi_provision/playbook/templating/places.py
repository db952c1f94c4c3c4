"""Where in a source file a part of a template stands, and what to say there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from types import TracebackType

from scupi_provision.errors import Position
from scupi_provision.source.places import Lines, shown, source_lines
from scupi_provision.values import TemplateText

_CODE = re.compile(r"\{\{-?(?P<output>.*?)\}\}|\{%-?(?P<statement>.*?)%\}|\{#.*?#\}", re.DOTALL)
_TOKEN = re.compile(r"'(?:\\.|[^'\\])*'|\"(?:\\.|[^\"\\])*\"|[^\W\d]\w*|\d[\w.]*|\s+|==|.", re.DOTALL)
_WORD = re.compile(r"\w+|.", re.DOTALL)


@dataclass(frozen=True)
class Token:
    """A name (`part` is False), or a part of a value: what follows a dot or stands in quotes."""

    text: str
    offset: int
    part: bool


def names_in(text: str, *, expression: bool) -> Iterator[Token]:
    """Every name and part in the code of a template, in order; filters, tests and keyword arguments are left out."""
    if expression:
        yield from _names(text, 0)
        return
    for match in _CODE.finditer(text):
        for group in ("output", "statement"):
            if match[group] is not None:
                yield from _names(match[group], match.start(group))


def _names(code: str, start: int) -> Iterator[Token]:
    tokens = [match for match in _TOKEN.finditer(code) if not match[0].isspace()]
    for index, match in enumerate(tokens):
        before = tokens[index - 1][0] if index else ""
        after = tokens[index + 1][0] if index + 1 < len(tokens) else ""
        word = match[0]
        if word[0] in "'\"":
            yield Token(word[1:-1], start + match.start() + 1, part=True)
        elif not (word[0].isalpha() or word[0] == "_"):
            continue
        elif before == ".":
            yield Token(word, start + match.start(), part=True)
        elif before not in ("|", "is") and after != "=" and not (before == "not" and _is_before(tokens, index - 1)):
            yield Token(word, start + match.start(), part=False)


def _is_before(tokens: list[re.Match[str]], index: int) -> bool:
    return index > 0 and tokens[index - 1][0] == "is"


@dataclass(frozen=True)
class Origin:
    """A template and where it stands.

    Attributes:
        text: The template.
        scalar: The playbook scalar it is, or None for a file of its own.
        name: The file's name, for a file of its own.
        expression: Whether the whole text is an expression, as after `when:`.
        skipped: Lines of the file that stand before `text` (a `#jinja2:` header).
    """

    text: str
    scalar: TemplateText | None = None
    name: str = ""
    expression: bool = False
    skipped: int = 0

    def place(self, offset: int) -> Position:
        """Where the character at `offset` stands."""
        if self.scalar is not None:
            return place_in_scalar(self.scalar, offset)
        where = Lines(self.text, self.name).position(offset)
        return Position(self.name, where.line + self.skipped, where.column)

    def excerpt(self, where: Position) -> str:
        """The line at `where`."""
        if self.scalar is None:
            return shown(Lines(self.text, self.name).line(where.line - self.skipped))
        lines = source_lines(where.file)
        return shown(lines.line(where.line)) if lines else ""

    def offset_of_line(self, line: int) -> int:
        """The offset at which line `line` of the template begins."""
        return Lines(self.text, "").offset(Position("", line, 1)) or 0

    def find(self, name: str, *, part: bool, line: int = 1) -> int | None:
        """The offset of the first use of `name` at or after `line`, else of the first at all."""
        found = [
            token.offset
            for token in names_in(self.text, expression=self.expression)
            if token.text == name and token.part == part
        ]
        start = self.offset_of_line(line)
        return next((offset for offset in found if offset >= start), found[0] if found else None)

    def first_code(self, line: int = 1) -> int:
        """Where the code begins, at or after `line`."""
        start = self.offset_of_line(line)
        match = None if self.expression else re.compile(r"\{[{%]").search(self.text, start)
        return match.start() if match else start


def place_in_scalar(scalar: TemplateText, offset: int) -> Position:
    """Where the character at `offset` of a scalar stands in its file.

    The word there is found again in the file, as the same occurrence counted from where the scalar begins: quotes,
    folding and the indentation of block scalars need no special treatment then.
    """
    word = _WORD.match(scalar, offset)
    lines = source_lines(scalar.position.file)
    start = lines.offset(scalar.position) if lines else None
    if word and lines and start is not None:
        pattern = re.compile(rf"(?<!\w){re.escape(word[0])}(?!\w)" if word[0].isidentifier() else re.escape(word[0]))
        before = sum(match.start() < offset for match in pattern.finditer(scalar))
        for index, match in enumerate(pattern.finditer(lines.text, start)):
            if index == before:
                return lines.position(match.start())
    if "\n" in scalar:
        return scalar.position
    quote = 0 if scalar.plain else 1
    return Position(scalar.position.file, scalar.position.line, scalar.position.column + quote + offset)


def failing_line(trace: TracebackType | None) -> tuple[str | None, int]:
    """The file (None for a text) and the line of the innermost template in a traceback."""
    found: tuple[str | None, int] = (None, 1)
    while trace is not None:
        template = trace.tb_frame.f_globals.get("__jinja_template__")
        if template is not None:
            found = (template.filename, template.get_corresponding_lineno(trace.tb_lineno))
        trace = trace.tb_next
    return found
