"""Text from hosts made safe to print: what would control a terminal is shown as an escape, and nothing is hidden.

A host may print anything: colours, cursor movements, a clipboard write (OSC 52), bidirectional overrides that make a
line read differently from what it is (CVE-2021-42574). All of it reaches a person as visible text.
"""

from __future__ import annotations

import unicodedata

TAB_STOP = 4
_ESCAPED_CATEGORIES = frozenset({"Cc", "Cf", "Cn", "Cs", "Zl", "Zp"})
"""Controls; formats (bidi, zero width, tags); the unassigned; lone surrogates; line and paragraph separators."""
_NAMED = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def visible_character(character: str) -> str:
    """`character` itself when it only prints, else its escape as Python would write it."""
    if character.isprintable() or unicodedata.category(character) not in _ESCAPED_CATEGORIES:
        return character
    if character in _NAMED:
        return _NAMED[character]
    code = ord(character)
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def visible(text: str) -> str:
    """`text` on one line, every control character in it escaped; line breaks and tabs too."""
    if text.isprintable():
        return str(text)
    return "".join(map(visible_character, text))


def visible_line(text: str) -> str:
    """Like `visible`, for a line of a file or of output: tabs become spaces up to the next stop."""
    return visible(text.expandtabs(TAB_STOP))


def visible_lines(text: str) -> list[str]:
    """The lines of a command's output: CRLF counts as one line break, trailing empty lines are dropped."""
    text = text.rstrip("\r\n")
    return [visible_line(line.removesuffix("\r")) for line in text.split("\n")] if text else []


def shortened(text: str, limit: int) -> str:
    """`text` cut to `limit` characters; says with "..." that it was cut."""
    return text if len(text) <= limit else text[: limit - 3] + "..."
