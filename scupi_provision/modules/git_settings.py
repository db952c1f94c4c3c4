"""The text of a git configuration, as git-config(1) describes it under "Syntax"."""

from __future__ import annotations

import re
from collections.abc import Iterator

_SECTION = re.compile(r'\[\s*([\w.-]+)(?:\s+"((?:\\.|[^"\\])*)")?\s*\]')
_KEY = re.compile(r"\s*([A-Za-z][A-Za-z0-9-]*)\s*")
_ESCAPES = {"n": "\n", "t": "\t", "b": "\b"}


def normal_name(name: str) -> str:
    """A name as git compares it: section and key in small letters, what is between them as it is.

    Raises:
        ValueError: It is no name of a setting.
    """
    section, dot, rest = name.partition(".")
    middle, _, key = rest.rpartition(".")
    if not dot or not re.fullmatch(r"[\w-]+", section) or not re.fullmatch(r"[A-Za-z][A-Za-z0-9-]*", key):
        raise ValueError(f'"{name}" is no name of a setting; they are like user.name or url.https://x/.insteadOf')
    return ".".join(part for part in (section.lower(), middle, key.lower()) if part)


def settings(text: str) -> Iterator[tuple[str, str]]:
    """Every setting in the text: its normal name and its value; a key alone is worth `true`."""
    section, at = "", 0
    while at < len(text):
        if text[at] in " \t\r\n":
            at += 1
        elif text[at] in "#;":
            at = _end_of_line(text, at)
        elif found := _SECTION.match(text, at):
            inner = None if found[2] is None else re.sub(r"\\(.)", r"\1", found[2])
            section = found[1].lower() if inner is None else f"{found[1].lower()}.{inner}"
            at = found.end()
        elif found := _KEY.match(text, at):
            at = found.end()
            value = "true"
            if text[at : at + 1] == "=":
                value, at = _value(text, at + 1)
            yield f"{section}.{found[1].lower()}", value
        else:
            at = _end_of_line(text, at)


def _end_of_line(text: str, at: int) -> int:
    end = text.find("\n", at)
    return len(text) if end < 0 else end


def _value(text: str, at: int) -> tuple[str, int]:
    """The value that begins at `at`, and where it ends: quotes group, a backslash escapes or goes on, comments end."""
    value, kept, quoted = "", 0, False
    while at < len(text) and text[at] != "\n":
        character = text[at]
        at += 1
        if character == "\\" and at < len(text):
            if text[at] != "\n":
                value += _ESCAPES.get(text[at], text[at])
                kept = len(value)
            at += 1
        elif character == '"':
            quoted = not quoted
            kept = len(value)
        elif character in "#;" and not quoted:
            return value[:kept], _end_of_line(text, at)
        elif quoted or character not in " \t\r\v\f":
            value += character
            kept = len(value)
        elif value:
            value += character
    return value[:kept], at
