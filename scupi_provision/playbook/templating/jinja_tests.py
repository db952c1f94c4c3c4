"""Ansible's tests: `is version`, `is match`, `is failed` and their kind."""

# ruff: noqa: FBT001, FBT002 - Ansible's signatures: templates pass these by position

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from scupi_provision.playbook.templating import file_tests
from scupi_provision.playbook.templating.failures import TemplateFailure
from scupi_provision.playbook.templating.filters import vaults
from scupi_provision.playbook.templating.patterns import pattern
from scupi_provision.playbook.templating.versions import is_version

_TRUE = frozenset({"true", "yes", "on", "1", "y", "t"})
_FALSE = frozenset({"false", "no", "off", "0", "n", "f"})


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


def nan(value: Any) -> bool:
    """Whether `value` is the number that is none."""
    return isinstance(value, float) and math.isnan(value)


def unreachable(result: Any) -> bool:
    """Whether a registered result is of a host that could not be reached."""
    return bool(_result(result, "unreachable").get("unreachable", False))


def timedout(result: Any) -> bool:
    """Whether a registered result is of a task that took longer than its `timeout`."""
    return bool(_result(result, "timedout").get("timedout", False))


def finished(result: Any) -> bool:
    """Whether a registered result is of an `async` job that has ended (any other task has)."""
    return bool(_result(result, "finished").get("finished", True))


def started(result: Any) -> bool:
    """Whether a registered result is of an `async` job that has begun (any other task has)."""
    return bool(_result(result, "started").get("started", True))


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
    "nan": nan,
    "unreachable": unreachable,
    "reachable": lambda result: not unreachable(result),
    "timedout": timedout,
    "finished": finished,
    "started": started,
    **file_tests.TESTS,
    **vaults.TESTS,
}
