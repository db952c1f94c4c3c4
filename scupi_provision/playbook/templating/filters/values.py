"""Filters on single values: defaults, types, choices."""

# ruff: noqa: FBT001, FBT002 - Ansible's signatures: templates pass these by position

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from jinja2 import Undefined

from scupi_provision.playbook.templating.failures import TemplateFailure
from scupi_provision.playbook.templating.versions import is_version
from scupi_provision.values import SourceFloat, SourceInt

_TRUE = frozenset({"yes", "on", "1", "true", "y", "t"})


def default(value: Any, default_value: Any = "", boolean: bool = False) -> Any:
    """`value`, or `default_value` when it is undefined (with `boolean` also when it is empty or false)."""
    return default_value if isinstance(value, Undefined) or (boolean and not value) else value


def mandatory(value: Any, msg: str | None = None) -> Any:
    """`value`; fails with `msg` when it is undefined."""
    if isinstance(value, Undefined):
        if msg is not None:
            raise TemplateFailure(str(msg))
        value._fail_with_undefined_error()  # noqa: SLF001 - Jinja's way to use an undefined value
    return value


def to_bool(value: Any) -> bool:
    """`value` as a boolean: what says yes is true, everything else false, as in Ansible."""
    if isinstance(value, bool):
        return value
    word = str(value).strip().lower()
    return word in _TRUE or word == "1.0"


def to_int(value: Any, default: int = 0, base: int = 10) -> int:
    """`value` as a whole number; `default` when it is none."""
    try:
        return int(str.__str__(value), base) if isinstance(value, str) else int(value)
    except (TypeError, ValueError, OverflowError):
        return _int_of_float(value, default)


def _int_of_float(value: Any, default: int) -> int:
    try:
        return int(float(value))
    except (TypeError, ValueError, OverflowError):
        return default


def ternary(value: Any, true_val: Any, false_val: Any, none_val: Any = None) -> Any:
    """`true_val` or `false_val`; `none_val` for null when it is given."""
    if value is None and none_val is not None:
        return none_val
    return true_val if bool(value) else false_val


def type_debug(value: Any) -> str:
    """The name of the type, in Python's words."""
    if isinstance(value, Undefined):
        return "Undefined"
    for kind in (bool, SourceInt, SourceFloat, int, float, str, dict, list, tuple):
        if isinstance(value, kind):
            return kind.__name__.replace("SourceInt", "int").replace("SourceFloat", "float")
    return type(value).__name__


FILTERS: dict[str, Callable[..., Any]] = {
    "default": default,
    "d": default,
    "mandatory": mandatory,
    "bool": to_bool,
    "int": to_int,
    "ternary": ternary,
    "type_debug": type_debug,
    "version": is_version,
    "version_compare": is_version,
}
