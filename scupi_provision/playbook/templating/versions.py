"""How versions compare: as Python's old LooseVersion and StrictVersion did, by PEP 440, by semantic versioning."""

# ruff: noqa: FBT001 - Ansible's signatures: templates pass these by position

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from typing import Any

from packaging.version import InvalidVersion, Version

from scupi_provision.playbook.templating.failures import TemplateFailure

_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    **dict.fromkeys(("==", "=", "eq"), operator.eq),
    **dict.fromkeys(("!=", "<>", "ne"), operator.ne),
    **dict.fromkeys(("<", "lt"), operator.lt),
    **dict.fromkeys(("<=", "le"), operator.le),
    **dict.fromkeys((">", "gt"), operator.gt),
    **dict.fromkeys((">=", "ge"), operator.ge),
}
_LOOSE_PART = re.compile(r"(\d+|[a-z]+|\.)")
_STRICT = re.compile(r"(\d+)\.(\d+)(?:\.(\d+))?(?:([ab])(\d+))?", re.ASCII)
_NUMBER = r"(0|[1-9]\d*)"
_SEMANTIC = re.compile(
    rf"{_NUMBER}\.{_NUMBER}\.{_NUMBER}(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+[0-9A-Za-z.-]+)?", re.ASCII
)
"""https://semver.org, version 2.0.0; what stands behind `+` does not count."""


def is_version(
    value: Any, version: Any, operator: str = "==", strict: bool | None = None, version_type: str | None = None
) -> bool:
    """Whether `value` compares with `version` as `operator` says."""
    compare = _OPERATORS.get(operator)
    if compare is None:
        raise TemplateFailure(f"no comparison {operator!r}", hint=f"one of {', '.join(_OPERATORS)}")
    if strict is not None and version_type is not None:
        raise TemplateFailure("strict and version_type cannot be given together")
    kind = version_type or ("strict" if strict else "loose")
    if kind not in _KINDS:
        raise TemplateFailure(f"no version_type {kind!r}", hint=f"one of {', '.join(_KINDS)}")
    try:
        return compare(_KINDS[kind](str(value)), _KINDS[kind](str(version)))
    except (InvalidVersion, ValueError) as error:
        raise TemplateFailure(f"not a version: {error}") from None
    except TypeError:
        raise TemplateFailure(f"{value} and {version} cannot be compared", hint="try version_type='pep440'") from None


def _loose(text: str) -> list[int | str]:
    if not text:
        raise ValueError("it is empty")
    parts = [part for part in _LOOSE_PART.split(text) if part and part != "."]
    return [int(part) if part.isdecimal() else part for part in parts]


def _strict(text: str) -> tuple[Any, ...]:
    match = _STRICT.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not a strict version (1.2, 1.2.3, 1.2a1)")
    numbers = tuple(int(part or 0) for part in match.groups()[:3])
    return (numbers, (0, match[4], int(match[5])) if match[4] else (1, "", 0))


def _semantic(text: str) -> tuple[Any, ...]:
    match = _SEMANTIC.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not a semantic version (1.2.3, 1.2.3-beta.1)")
    numbers = tuple(int(part) for part in match.groups()[:3])
    if match[4] is None:
        return (numbers, 1, ())
    before = tuple((0, int(part), "") if part.isdecimal() else (1, 0, part) for part in match[4].split("."))
    return (numbers, 0, before)


_KINDS: dict[str, Callable[[str], Any]] = {
    "loose": _loose,
    "strict": _strict,
    "semver": _semantic,
    "semantic": _semantic,
    "pep440": Version,
}
