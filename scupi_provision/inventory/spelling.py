"""How values are written so that YAML 1.1 (Ansible), YAML 1.2 and our own reader take them for the same text."""

from __future__ import annotations

import json
import re

_CERTAIN_NUMBER = re.compile(r"[1-9][0-9]*")
"""The only digits that mean the same as text everywhere: 0123 may be octal, 1_000 a thousand, 12:30 sexagesimal."""
_CERTAIN_WORD = re.compile(r"(?:~?/|\./|\.\./)?[^\W\d_][\w./@+-]*|~/[\w./@+-]+|/[\w./@+-]+")
_NO_TEXT = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf"})
"""Words that one YAML or the other takes for a boolean, for nothing, or for a number (yaml.org/type)."""


def spelled(text: str) -> str:
    """`text` as a scalar of a block: plain where nobody can take it for anything else, else in double quotes."""
    if _CERTAIN_NUMBER.fullmatch(text):
        return text
    if _CERTAIN_WORD.fullmatch(text) and text.lower() not in _NO_TEXT and text.isprintable():
        return text
    return quoted(text)


def quoted(text: str) -> str:
    """`text` in double quotes, which JSON and every YAML read alike."""
    return json.dumps(text, ensure_ascii=not text.isprintable())
