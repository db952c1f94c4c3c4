"""Patterns of Python for a host that has only `grep -E`: the same meaning, or a refusal."""

from __future__ import annotations

import re

_CLASSES = {"d": "0-9", "w": "[:alnum:]_", "s": "[:space:]"}
_NEGATED = {"D": "d", "W": "w", "S": "s"}
_PLAIN = {"A": "^", "Z": "$", "t": "\t", "b": "\\b", "B": "\\B"}
_TOKENS = re.compile(
    r"\\(?P<escaped>.)|\[(?P<class>\^?\]?(?:\\.|[^\]\\])*)\]|\(\?(?P<group>P<\w+>|:|.)|(?P<lazy>[*+?}])\?", re.DOTALL
)


def extended(pattern: str) -> tuple[str, bool]:
    """`pattern` as a POSIX extended expression, and whether the case of letters is to be ignored.

    Raises:
        ValueError: It is no pattern, or says something that grep cannot; the text says what.
    """
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"is not a regular expression: {error}") from None
    any_case = pattern.startswith("(?i)")
    return _TOKENS.sub(_translated, pattern.removeprefix("(?i)")), any_case


def _translated(match: re.Match[str]) -> str:
    if match["lazy"]:
        return match["lazy"]  # what is matched is asked of Python; here only whether
    if match["group"]:
        if match["group"] == ":" or match["group"].startswith("P<"):
            return "("
        raise ValueError(f"{match[0]}…) cannot be looked for on a host, which has grep -E only")
    if match["escaped"]:
        return _escaped(match["escaped"])
    return f"[{_class(match['class'])}]"


def _escaped(letter: str) -> str:
    if letter in _CLASSES:
        return f"[{_CLASSES[letter]}]"
    if letter in _NEGATED:
        return f"[^{_CLASSES[_NEGATED[letter]]}]"
    if letter in _PLAIN:
        return _PLAIN[letter]
    if letter.isalnum():
        raise ValueError(f"\\{letter} cannot be looked for on a host, which has grep -E only")
    return f"\\{letter}"


def _class(inside: str) -> str:
    closing = ""
    text = ""
    for escaped, plain in re.findall(r"\\(.)|([^\\])", inside, re.DOTALL):
        if plain:
            text += plain
        elif escaped in _CLASSES:
            text += _CLASSES[escaped]
        elif escaped == "t":
            text += "\t"
        elif escaped == "-":
            closing = "-"  # at the end of a class it stands for itself
        elif escaped.isalnum() or escaped in "]^[":
            raise ValueError(f"\\{escaped} in brackets cannot be looked for on a host, which has grep -E only")
        else:
            text += escaped
    return text + closing
