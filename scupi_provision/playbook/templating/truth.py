"""When a condition holds."""

from __future__ import annotations

import re
from typing import Any

from scupi_provision.errors import InputError, Position
from scupi_provision.source import excerpt
from scupi_provision.values import SourceText, TemplateText, UnknownValue

_YES = frozenset({"true", "yes", "on", "1", "y", "t"})
_WORDS = _YES | frozenset({"false", "no", "off", "0", "n", "f"})
_WRAPPED = re.compile(r"\s*\{\{-?\s*((?:(?!\}\}|\{\{).)*?)\s*-?\}\}\s*", re.DOTALL)


def unwrapped(condition: TemplateText) -> TemplateText:
    """A condition without the `{{ }}` that people write around it."""
    match = _WRAPPED.fullmatch(condition)
    if match is None:
        return condition
    place = condition.position
    moved = place if condition.count("\n") else Position(place.file, place.line, place.column + match.start(1))
    return TemplateText(match[1], moved, plain=condition.plain)


def truth_of(value: Any, condition: SourceText | None) -> bool:
    """`value` as the answer of a condition; InputError when it is none."""
    if isinstance(value, UnknownValue):
        return bool(value)  # raises UnknownValueError with its reason
    if isinstance(value, bool):
        return value
    kind, hint = _advice(value)
    where = condition.position if condition is not None else None
    raise InputError(
        f"a condition must be true or false, this one is {kind}",
        where=where,
        excerpt=excerpt(where) if where else "",
        hint=hint,
    )


def says_yes(value: Any) -> bool:
    """Whether the value of a keyword means yes; UnknownValueError when that is not known."""
    if isinstance(value, UnknownValue):
        return bool(value)  # raises
    return value is True or str(value).strip().lower() in _YES


def _advice(value: Any) -> tuple[str, str]:
    if value is None:
        return "null", "ask what you mean: x is not none"
    if isinstance(value, str) and value.lower() in _WORDS:
        return f'the text "{value}"', "say that it is a boolean: x | bool"
    if isinstance(value, str):
        return "a text", "ask what you mean: x | length > 0, or x | bool"
    if isinstance(value, dict | list | tuple):
        return "a list" if not isinstance(value, dict) else "a mapping", "ask what you mean: x | length > 0"
    if isinstance(value, int | float):
        return f"the number {value}", "ask what you mean: x | bool" if value in (0, 1) else "ask what you mean: x != 0"
    return type(value).__name__, "ask what you mean"
