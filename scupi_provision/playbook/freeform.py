"""Arguments written as text: `copy: src=a dest="b c"`, and `command: make creates=out`, with Ansible's splitting."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from scupi_provision.playbook.scalars import part_of
from scupi_provision.values import SourceText, TemplateText

_COMMAND_OPTIONS = frozenset(
    ("creates", "removes", "chdir", "executable", "stdin", "stdin_add_newline", "strip_empty_ends")
)
"""The only `k=v` words that Ansible takes out of the text of a command."""

_TOKEN_PARTS = re.compile(
    r"""(?P<space>\s+) | (?P<open>\{\{|\{%|\{\#) | (?P<close>\}\}|%\}|\#\}) | (?P<escaped>\\.) | (?P<quote>["']) | .""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(r"""\\(?:U[0-9a-fA-F]{8}|u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|N\{[^}]+\}|[\\'"abfnrtv])""")
"""What Ansible replaces in `key=value` (measured with ansible-core 2.19): `\\n` is a line break there."""
_KEY = re.compile(r"([A-Za-z_][\w.-]*)=")


@dataclass(frozen=True)
class _Word:
    text: str
    start: int
    end: int


def read_pairs(text: SourceText) -> dict[str, TemplateText]:
    """The arguments in `src=a dest="b c"`.

    Raises:
        ValueError: A word is not `key=value`, or a quote or a template is not closed.
    """
    pairs: dict[str, TemplateText] = {}
    for word in _split(text):
        key, value = _pair(text, word)
        if key is None:
            raise ValueError(f'"{word.text}" is not key=value')
        if key in pairs:
            raise ValueError(f'"{key}" is given twice')
        pairs[key] = value
    return pairs


def split_command(text: SourceText, fields: Collection[str]) -> tuple[TemplateText, dict[str, TemplateText]]:
    """The command in `text`, and the options among `fields` that stand between its words (`creates=…`).

    The rest of the text keeps its spaces and lines, but for lines that a backslash continues. Text with an open quote
    is a command as a whole (a shell script may have one in a comment).
    """
    text = _joined(text)
    options = _COMMAND_OPTIONS & set(fields)
    if not any(f"{option}=" in text for option in options):
        return part_of(text, str(text), 0), {}
    try:
        words = _split(text)
    except ValueError:
        return part_of(text, str(text), 0), {}
    found: dict[str, TemplateText] = {}
    kept: list[str] = []
    first = end = 0
    for word in words:
        key, value = _pair(text, word)
        if key not in options:
            first = first or word.start
            continue
        found[key or ""] = value
        kept.append(str(text[end : word.start]).rstrip(" "))
        end = word.end
    if not found:
        return part_of(text, str(text), 0), {}
    rest = "".join(kept) + str(text[end:])
    return part_of(text, rest.strip(), first), found


def _joined(text: SourceText) -> SourceText:
    """`text` without the backslashes that are words of their own: Ansible drops them, and the line break behind them.

    A line that is continued keeps its indentation as what separates it (measured with ansible-core 2.19).
    """
    if "\\\n" not in text and "\\ " not in text:
        return text
    try:
        words = _split(text)
    except ValueError:
        return text
    said = str(text)
    for word in reversed(words):
        if word.text[:2] in ("\\\n", "\\ "):
            before, after = said[: word.start], said[word.start + 2 :]
            said = (before.removesuffix(" ") if after.startswith(" ") else before) + after
    return part_of(text, said, 0)


def _pair(text: SourceText, word: _Word) -> tuple[str | None, TemplateText]:
    """The name and the value in a word; None for a name when it is no `key=value`."""
    said = _ESCAPE.sub(_meaning, word.text)
    match = _KEY.match(said)
    if not match:
        return None, part_of(text, word.text, word.start)
    value = said[match.end() :]
    start = word.start + word.text.index("=") + 1
    if len(value) >= 2 and value[0] == value[-1] and value[0] in "\"'":
        value, start = value[1:-1], start + 1
        return match[1], TemplateText(value, part_of(text, value, start).position, plain=False)
    return match[1], TemplateText(value, part_of(text, value, start).position, plain=True)


def _meaning(escape: re.Match[str]) -> str:
    """The character that an escape stands for, as in a string of Python."""
    return escape[0].encode("latin-1", "backslashreplace").decode("unicode_escape")


def _split(text: SourceText) -> list[_Word]:
    """The words of `text`; spaces inside quotes and inside templates do not separate."""
    words: list[_Word] = []
    start: int | None = None
    quote = ""
    depth = 0
    for match in _TOKEN_PARTS.finditer(text):
        kind = match.lastgroup
        if kind == "space" and not quote and not depth:
            if start is not None:
                words.append(_Word(str(text[start : match.start()]), start, match.start()))
            start = None
            continue
        if start is None and kind != "space":
            start = match.start()
        if kind == "quote" and not depth:
            quote = "" if quote == match[0] else quote or match[0]
        elif kind == "open":
            depth += 1
        elif kind == "close" and depth:
            depth -= 1
    if quote or depth:
        raise ValueError("a quote or a template is opened and never closed")
    if start is not None:
        words.append(_Word(str(text[start:]), start, len(text)))
    return words
