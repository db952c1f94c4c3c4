"""Text to shell words. Every value that enters shell text passes through here."""

from __future__ import annotations

import base64
import re

_SAFE_WORD = re.compile(r"[A-Za-z0-9_@%+=:,./-]+")
# Bytes that every shell we know keeps as they are inside single quotes. Others (NUL, control bytes that some dash
# versions use as internal markers, bytes that are not valid in the host's locale) travel as base64.
_LITERAL = re.compile(rb"[\t\n\x20-\x7e]*")


def word(text: str) -> str:
    """`text` as one shell word that means exactly `text` in every POSIX shell.

    Raises:
        ValueError: `text` holds a NUL, which no shell word can carry.
    """
    if "\0" in text:
        raise ValueError("a shell word cannot hold a NUL byte")
    if _SAFE_WORD.fullmatch(text) and not text.startswith("="):
        return text
    return "'" + text.replace("'", "'\\''") + "'"


def words(*texts: str) -> str:
    """Several words, separated by spaces."""
    return " ".join(word(text) for text in texts)


def is_literal(content: bytes) -> bool:
    """Whether `content` can stand in the program as a quoted word."""
    return _LITERAL.fullmatch(content) is not None


def encoded(content: bytes) -> str:
    """`content` as one word of base64 (safe without quotes, except that it may be empty)."""
    return base64.b64encode(content).decode("ascii") or "''"


def glob_word(pattern: str) -> str:
    """`pattern` as a shell word in which only `*` keeps its meaning."""
    return "*".join(word(part) if part else "" for part in pattern.split("*"))
