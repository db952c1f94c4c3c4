"""Filters on numbers and sizes."""

# ruff: noqa: FBT001, FBT002 - Ansible's signatures: templates pass these by position

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

from scupi_provision.playbook.templating.failures import TemplateFailure

_PREFIXES = "KMGTPEZY"
_SIZES = {"B": 1, **{prefix: 1 << (10 * (power + 1)) for power, prefix in enumerate(_PREFIXES)}}
"""Units of sizes: each is 1024 of the one before, for bits, too (Ansible's meaning)."""

_SIZE = re.compile(r"([0-9]*\.?[0-9]+)(?:\s*([A-Za-z]+))?\s*")


def logarithm(value: Any, base: float = math.e) -> float:
    """The logarithm of `value`."""
    return _computed("log", lambda: math.log10(value) if base == 10 else math.log(value, base))


def power(value: Any, exponent: Any) -> float:
    """`value` to the power of `exponent`."""
    return _computed("pow", lambda: math.pow(value, exponent))


def root(value: Any, base: float = 2) -> float:
    """The root of `value`, the square root unless `base` says otherwise."""
    return _computed("root", lambda: math.sqrt(value) if base == 2 else math.pow(value, 1.0 / float(base)))


def _computed(name: str, compute: Callable[[], float]) -> float:
    try:
        return compute()
    except (TypeError, ValueError, OverflowError, ZeroDivisionError) as error:
        raise TemplateFailure(f"{name} cannot be computed: {error}") from None


def human_readable(size: Any, isbits: bool = False, unit: str | None = None) -> str:
    """A number of bytes (or bits) for people: `976.56 KB`."""
    try:
        number = float(size)
    except (TypeError, ValueError):
        raise TemplateFailure(f"human_readable needs a number, not {size!r}") from None
    wanted = unit.upper() if unit else None
    fits = (name for name, one in sorted(_SIZES.items(), key=lambda pair: -pair[1]) if number >= one)
    prefix = wanted if wanted in _SIZES else next(fits, "B")
    word = ("bits" if isbits else "Bytes") if prefix == "B" else prefix + ("b" if isbits else "B")
    return f"{number / _SIZES[prefix]:.2f} {word}"


def human_to_bytes(size: Any, default_unit: str | None = None, isbits: bool = False) -> int:
    """The number that a text like `10 KB` or `1.5G` stands for."""
    match = _SIZE.fullmatch(str(size))
    if match is None:
        raise TemplateFailure(f"{size!r} is not a size", hint="write it as 10K, 1.5GB or 512")
    number, unit = float(match[1]), match[2] or default_unit
    if unit is None:
        return round(number)
    prefix = unit[0].upper()
    letter, word = ("b", "bit") if isbits else ("B", "byte")
    known = {letter, word} if prefix == "B" else {prefix + letter, f"{prefix}{word}"}
    exact = len(unit) == 1 or unit in known or unit.lower() == {**_WORDS, "B": ""}.get(prefix, "") + word
    if prefix not in _SIZES or not exact:
        raise TemplateFailure(f"{size!r} has no unit that is known", hint=f"K{letter}, M{letter}, G{letter} …")
    return round(number * _SIZES[prefix])


_WORDS = {"K": "kilo", "M": "mega", "G": "giga", "T": "tera", "P": "peta", "E": "exa", "Z": "zetta", "Y": "yotta"}

FILTERS: dict[str, Callable[..., Any]] = {
    "log": logarithm,
    "pow": power,
    "root": root,
    "human_readable": human_readable,
    "human_to_bytes": human_to_bytes,
}
