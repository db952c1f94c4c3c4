"""Ansible's tests: `is version`, `is match`, `is failed` and their kind."""

# ruff: noqa: FBT001, FBT002 - Ansible's signatures: templates pass these by position

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from scupi_provision.playbook.templating.failures import TemplateFailure
from scupi_provision.playbook.templating.filters import vaults
from scupi_provision.playbook.templating.patterns import pattern

_TRUE = frozenset({"true", "yes", "on", "1", "y", "t"})
_FALSE = frozenset({"false", "no", "off", "0", "n", "f"})
_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    **dict.fromkeys(("==", "=", "eq"), operator.eq),
    **dict.fromkeys(("!=", "<>", "ne"), operator.ne),
    **dict.fromkeys(("<", "lt"), operator.lt),
    **dict.fromkeys(("<=", "le"), operator.le),
    **dict.fromkeys((">", "gt"), operator.gt),
    **dict.fromkeys((">=", "ge"), operator.ge),
}
_VERSION_PART = re.compile(r"(\d+|[a-z]+|\.)")


def is_version(
    value: Any, version: Any, operator: str = "==", strict: bool | None = None, version_type: str | None = None
) -> bool:
    """Whether `value` compares with `version` as `operator` says; versions are compared part by part."""
    compare = _OPERATORS.get(operator)
    if compare is None:
        raise TemplateFailure(f"no comparison {operator!r}", hint=f"one of {', '.join(_OPERATORS)}")
    if strict is not None and version_type is not None:
        raise TemplateFailure("strict and version_type cannot be given together")
    strictly = strict or version_type in ("strict", "semver", "semantic", "pep440")
    if strictly:
        from packaging.version import InvalidVersion, Version  # noqa: PLC0415 - rarely needed

        try:
            return compare(Version(str(value)), Version(str(version)))
        except InvalidVersion as error:
            raise TemplateFailure(f"not a version: {error}") from None
    return compare(_loose(str(value)), _loose(str(version)))


def _loose(text: str) -> list[tuple[int, int, str]]:
    """A version as Python's LooseVersion sees it (1.0 < 1.0.0 < 1.0rc1); numbers sort before words."""
    parts = [part for part in _VERSION_PART.split(text) if part and part != "."]
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in parts]


def matches(value: Any, expression: str, ignorecase: bool = False, multiline: bool = False) -> bool:
    """Whether `value` matches from its beginning."""
    return pattern(expression, ignorecase=ignorecase, multiline=multiline).match(_text(value)) is not None


def finds(value: Any, expression: str, ignorecase: bool = False, multiline: bool = False) -> bool:
    """Whether `value` matches anywhere."""
    return pattern(expression, ignorecase=ignorecase, multiline=multiline).search(_text(value)) is not None


def regex(
    value: Any,
    expression: str = "",
    ignorecase: bool = False,
    multiline: bool = False,
    match_type: str = "search",
) -> bool:
    """Whether `value` matches in the way of `match_type`: search, match or fullmatch."""
    compiled = pattern(expression, ignorecase=ignorecase, multiline=multiline)
    methods = {"search": compiled.search, "match": compiled.match, "fullmatch": compiled.fullmatch}
    if match_type not in methods:
        raise TemplateFailure(f"no match_type {match_type!r}", hint="search, match or fullmatch")
    return methods[match_type](_text(value)) is not None


def truthy(value: Any, convert_bool: bool = False) -> bool:
    """Whether Python takes `value` for true; with `convert_bool`, words like "no" are taken for what they say."""
    if convert_bool and isinstance(value, str) and value.lower() in _TRUE | _FALSE:
        return value.lower() in _TRUE
    return bool(value)


def falsy(value: Any, convert_bool: bool = False) -> bool:
    """The opposite of `truthy`."""
    return not truthy(value, convert_bool)


def failed(result: Any) -> bool:
    """Whether a registered result is of a task that failed."""
    return bool(_result(result, "failed").get("failed", False))


def changed(result: Any) -> bool:
    """Whether a registered result is of a task that changed something, in one of its loop items at least."""
    found = _result(result, "changed")
    if "changed" not in found and isinstance(found.get("results"), list):
        return any(isinstance(item, Mapping) and bool(item.get("changed")) for item in found["results"])
    return bool(found.get("changed", False))


def skipped(result: Any) -> bool:
    """Whether a registered result is of a task that was skipped."""
    return bool(_result(result, "skipped").get("skipped", False))


def _result(value: Any, test: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise TemplateFailure(f'"is {test}" needs a registered result', hint="register: name, then name is " + test)
    return value


def contains(sequence: Any, item: Any) -> bool:
    """Whether `item` is in `sequence`."""
    return item in sequence


def subset(first: Any, second: Any) -> bool:
    """Whether every item of `first` is in `second`."""
    return all(item in second for item in first)


def superset(first: Any, second: Any) -> bool:
    """Whether every item of `second` is in `first`."""
    return subset(second, first)


def _text(value: Any) -> str:
    if isinstance(value, Mapping | list | tuple):
        raise TemplateFailure("a pattern is searched in a text, not in a list or mapping")
    return str(value)


def _path_test(check: Callable[[Path], bool]) -> Callable[[Any], bool]:
    return lambda value: check(Path(str(value)).expanduser())


TESTS: dict[str, Callable[..., bool]] = {
    "version": is_version,
    "version_compare": is_version,
    "match": matches,
    "search": finds,
    "regex": regex,
    "truthy": truthy,
    "falsy": falsy,
    "failed": failed,
    "failure": failed,
    "succeeded": lambda result: not failed(result),
    "success": lambda result: not failed(result),
    "successful": lambda result: not failed(result),
    "changed": changed,
    "change": changed,
    "skipped": skipped,
    "skip": skipped,
    "contains": contains,
    "subset": subset,
    "issubset": subset,
    "superset": superset,
    "issuperset": superset,
    "any": any,
    "all": all,
    # These look at this machine, as Ansible's do; use the stat module for a host.
    "exists": _path_test(Path.exists),
    "file": _path_test(Path.is_file),
    "directory": _path_test(Path.is_dir),
    "link": _path_test(Path.is_symlink),
    "abs": _path_test(Path.is_absolute),
    **vaults.TESTS,
}
