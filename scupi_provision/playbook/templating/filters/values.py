"""Filters on single values: defaults, types, choices."""

# ruff: noqa: FBT001, FBT002 - Ansible's signatures: templates pass these by position

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

from jinja2 import Undefined

from scupi_provision.playbook.templating.failures import TemplateFailure
from scupi_provision.playbook.templating.jinja_tests import is_version
from scupi_provision.values import SourceFloat, SourceInt

_TRUE = frozenset({"yes", "on", "1", "true", "y", "t"})
_FALSE = frozenset({"no", "off", "0", "false", "n", "f", ""})


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


def to_bool(value: Any) -> bool | None:
    """`value` as a boolean: words and numbers for what they say; None stays None."""
    if value is None or isinstance(value, bool):
        return value
    word = str(value).strip().lower()
    if word in _TRUE or word == "1.0":
        return True
    if word in _FALSE or word == "0.0":
        return False
    raise TemplateFailure(f"{value!r} is not a boolean", hint="true, false, yes, no, on, off, 1 or 0")


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


def refuse_random(*_: Any, **__: Any) -> NoReturn:
    """Fails: what a plan shows must be what is applied."""
    raise TemplateFailure("random values are refused: check and apply must agree", hint="use a fixed value")


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
    **dict.fromkeys(("random", "shuffle", "password_hash", "random_mac"), refuse_random),
}
