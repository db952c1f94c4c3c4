"""Regular expressions of Python as those of `expr`, the only tool of coreutils that has any."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

if hasattr(re, "_parser"):  # Python 3.11 and later
    from re import _parser as _sre  # type: ignore[attr-defined]
else:
    import sre_parse as _sre

_NOT_A_LINE_END = "[^\n]"
_CLASSES = {
    "CATEGORY_DIGIT": "[0-9]",
    "CATEGORY_SPACE": "[ \t\n\r\f\v]",
    "CATEGORY_WORD": "[A-Za-z0-9_]",
}
_SPECIAL = frozenset("\\.[]*^$")


def basic_expression(pattern: str) -> str | None:
    """A POSIX basic expression that `expr` matches against a text with `=` ahead where `pattern` is found in the text.

    None when there is no such expression that means the same: look-arounds, references, anchors inside, text beyond
    ASCII. Alternatives, `+` and `?` are written as GNU's and busybox's expr have them.
    """
    if not pattern.isascii():
        return None
    try:
        parsed = _sre.parse(pattern)
        if parsed.state.flags & ~re.UNICODE:
            return None
        nodes = list(parsed)
        at_start = bool(nodes) and _is_anchor(nodes[0], "AT_BEGINNING", "AT_BEGINNING_STRING")
        at_end = bool(nodes) and _is_anchor(nodes[-1], "AT_END", "AT_END_STRING")
        inner = nodes[int(at_start) : len(nodes) - int(at_end) if at_end else None]
        text = _sequence(inner)
    except (re.error, _UntranslatableError, RecursionError):
        return None
    # A group around all of it: `expr` says "no" when what its first group has matched is empty.
    return f"\\(={'' if at_start else '.*'}{text}{'$' if at_end else ''}\\)"


class _UntranslatableError(Exception):
    pass


def _is_anchor(node: Any, *names: str) -> bool:
    return str(node[0]) == "AT" and str(node[1]) in names


def _sequence(nodes: Sequence[Any]) -> str:
    return "".join(_node(str(kind), value) for kind, value in nodes)


def _node(kind: str, value: Any) -> str:
    if kind == "LITERAL":
        return _literal(value)
    if kind == "NOT_LITERAL":
        return f"[^{_member(value)}]"
    if kind == "ANY":
        return _NOT_A_LINE_END
    if kind == "IN":
        return _set(value)
    if kind == "BRANCH":
        return "\\(" + "\\|".join(_sequence(branch) for branch in value[1]) + "\\)"
    if kind == "SUBPATTERN":
        return f"\\({_sequence(value[3])}\\)"
    if kind == "MAX_REPEAT":
        return _repeated(*value)
    raise _UntranslatableError


def _repeated(least: int, most: Any, nodes: Sequence[Any]) -> str:
    single = len(nodes) == 1 and str(nodes[0][0]) in {"LITERAL", "NOT_LITERAL", "ANY", "IN"}
    body = _sequence(nodes) if single else f"\\({_sequence(nodes)}\\)"
    if str(most) == "MAXREPEAT":
        return f"{body}\\{{{least},\\}}" if least else f"{body}*"
    if int(most) > 255:  # RE_DUP_MAX of POSIX
        raise _UntranslatableError
    return f"{body}\\{{{least},{most}\\}}"


def _literal(code: int) -> str:
    character = chr(code)
    return f"\\{character}" if character in _SPECIAL else character


def _member(code: int) -> str:
    character = chr(code)
    if character in "]^-[\\":  # what means something inside brackets has places of its own there; not worth the trouble
        raise _UntranslatableError
    return character


def _set(items: Sequence[Any]) -> str:
    inverted = bool(items) and str(items[0][0]) == "NEGATE"
    texts = []
    for kind, value in items[1:] if inverted else items:
        if str(kind) == "LITERAL":
            texts.append(_member(value) if value != ord(".") else ".")
        elif str(kind) == "RANGE":
            texts.append(f"{_member(value[0])}-{_member(value[1])}")
        elif str(kind) == "CATEGORY" and str(value) in _CLASSES:
            texts.append(_CLASSES[str(value)][1:-1])
        else:
            raise _UntranslatableError
    return f"[{'^' if inverted else ''}{''.join(texts)}]"
