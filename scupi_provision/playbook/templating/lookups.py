"""Ansible's lookups: values from this machine and from other variables."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Mapping
from typing import Any

from jinja2 import pass_context
from jinja2.runtime import Context

from scupi_provision.errors import ProvisionError
from scupi_provision.playbook.templating import lookups_files, lookups_programs
from scupi_provision.playbook.templating.failures import TemplateFailure
from scupi_provision.playbook.templating.filters.collections import flatten, subelements
from scupi_provision.playbook.templating.filters.times import now
from scupi_provision.playbook.templating.lookups_loops import LOOPS
from scupi_provision.playbook.templating.omission import OMIT
from scupi_provision.playbook.templating.patterns import pattern
from scupi_provision.playbook.templating.sandbox import Missing
from scupi_provision.source import suggestion

_REFUSED = {
    "config": ("asks for settings of ansible itself, which are not there", "name the value in a variable"),
}
_COLLECTIONS = ("ansible.builtin.", "ansible.legacy.", "community.general.")


@pass_context
def lookup(
    context: Context, plugin: str, *terms: Any, wantlist: bool = False, errors: str = "strict", **options: Any
) -> Any:
    """The value that lookup `plugin` finds; several texts are joined by commas unless `wantlist`."""
    find = _function(plugin)
    try:
        found = find(_templar(context), list(terms), options)
    except (TemplateFailure, ProvisionError):
        if errors in ("ignore", "warn"):
            return [] if wantlist else None
        raise
    if wantlist:
        return found
    if len(found) == 1:
        return found[0]
    return ",".join(found) if found and all(isinstance(item, str) for item in found) else found


@pass_context
def query(context: Context, plugin: str, *terms: Any, errors: str = "strict", **options: Any) -> Any:
    """What lookup `plugin` finds, always a list."""
    return lookup(context, plugin, *terms, wantlist=True, errors=errors, **options)


def undef(hint: str | None = None) -> Missing:
    """A value that is undefined on purpose: whoever does not define it reads `hint`."""
    return Missing(hint=hint or "this value must be defined")


def _function(plugin: str) -> Callable[[Any, list[Any], dict[str, Any]], list[Any]]:
    name = plugin
    for collection in _COLLECTIONS:
        name = name.removeprefix(collection)
    if name in _REFUSED:
        why, instead = _REFUSED[name]
        raise TemplateFailure(f"the lookup {name} is refused: it {why}", hint=instead)
    if name not in LOOKUPS:
        raise TemplateFailure(f"there is no lookup {plugin!r}", hint=suggestion(name, LOOKUPS) or ", ".join(LOOKUPS))
    return LOOKUPS[name]


def _templar(context: Context) -> Any:
    templar = context.parent.templar  # type: ignore[attr-defined]
    if templar is None:
        raise TemplateFailure("lookups need variables", hint="import the macro file `with context`")
    return templar


def _env(_templar: Any, terms: list[Any], options: dict[str, Any]) -> list[Any]:
    default = options.get("default", "")
    return [os.environ.get(str(term), default) for term in terms]


def _vars(templar: Any, terms: list[Any], options: dict[str, Any]) -> list[Any]:
    found: list[Any] = []
    for term in terms:
        if term in templar.variables:
            found.append(templar.variables[term])
        elif "default" in options:
            found.append(options["default"])
        else:
            hint = suggestion(str(term), templar.variables)
            raise TemplateFailure(f'the variable "{term}" is not defined', hint=hint)
    return found


def _varnames(templar: Any, terms: list[Any], _options: dict[str, Any]) -> list[Any]:
    return [name for term in terms for name in templar.variables if pattern(str(term)).search(name)]


def _dict(_templar: Any, terms: list[Any], _options: dict[str, Any]) -> list[Any]:
    for term in terms:
        if not isinstance(term, Mapping):
            raise TemplateFailure(f"the lookup dict needs a mapping, not {term!r}")
    return [{"key": key, "value": value} for term in terms for key, value in term.items()]


def _nested(_templar: Any, terms: list[Any], _options: dict[str, Any]) -> list[Any]:
    lists = [term if isinstance(term, list | tuple) else [term] for term in terms]
    return [flatten(list(row), 1) for row in itertools.product(*lists)]


def _together(_templar: Any, terms: list[Any], _options: dict[str, Any]) -> list[Any]:
    return [list(row) for row in itertools.zip_longest(*terms)]


def _sequence(templar: Any, terms: list[Any], options: dict[str, Any]) -> list[Any]:
    words = [" ".join(f"{name}={value}" for name, value in options.items())] if options else []
    return LOOPS["sequence"](templar, terms or words, {})


def _subelements(_templar: Any, terms: list[Any], _options: dict[str, Any]) -> list[Any]:
    """As the filter of this name, but the items come without the list that was taken apart, as in Ansible."""
    flags = terms[2] if len(terms) > 2 and isinstance(terms[2], Mapping) else {}
    rows = subelements(terms[0], terms[1], skip_missing=bool(flags.get("skip_missing", False)))
    first, *deeper = str(terms[1]).split(".")
    if deeper:
        return rows
    return [[{name: value for name, value in item.items() if name != first}, part] for item, part in rows]


LOOKUPS: dict[str, Callable[[Any, list[Any], dict[str, Any]], list[Any]]] = {
    "env": _env,
    "vars": _vars,
    "varnames": _varnames,
    "items": lambda _templar, terms, _options: flatten(terms, 1),
    "list": lambda _templar, terms, _options: terms,
    "flattened": lambda _templar, terms, _options: flatten(terms),
    "indexed_items": lambda _templar, terms, _options: [list(pair) for pair in enumerate(flatten(terms, 1))],
    "dict": _dict,
    "nested": _nested,
    "cartesian": _nested,
    "together": _together,
    "sequence": _sequence,
    "subelements": _subelements,
    "inventory_hostnames": LOOPS["inventory_hostnames"],
    **lookups_files.LOOKUPS,
    **lookups_programs.LOOKUPS,
}

GLOBALS: dict[str, Any] = {
    "lookup": lookup,
    "query": query,
    "q": query,
    "omit": OMIT,
    "now": now,
    "undef": undef,
}
