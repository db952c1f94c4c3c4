"""What `with_<lookup>` goes over: its terms rendered, and the lookup asked."""

from __future__ import annotations

from typing import Any

from scupi_provision.errors import InputError
from scupi_provision.playbook.arguments import first_place
from scupi_provision.playbook.templating import Templar, UndefinedVariableError
from scupi_provision.playbook.templating.failures import TemplateFailure
from scupi_provision.playbook.templating.lookups import LOOKUPS
from scupi_provision.playbook.templating.lookups_loops import LOOPS
from scupi_provision.source import diagnostic
from scupi_provision.values import TemplateText

_COLLECTIONS = ("ansible.builtin.", "ansible.legacy.", "community.general.")


def short_lookup(name: str) -> str:
    """`community.general.filetree` is `filetree`: no two lookups of these collections have the same name."""
    for collection in _COLLECTIONS:
        if name.startswith(collection):
            return name[len(collection) :]
    return name


def lookup_names() -> frozenset[str]:
    """Every lookup that `with_<lookup>` may name."""
    return frozenset({*LOOKUPS, *LOOPS})


def loop_terms(lookup: str, terms: Any, templar: Templar, *, folder: str = "files") -> list[Any]:
    """The items of a loop over `lookup`.

    Args:
        lookup: Its short name.
        terms: As written, not rendered.
        templar: Renders the terms; its search paths are those of the task.
        folder: For `first_found`: the folder (`files`, `templates`, `vars`) that comes before the others.

    Raises:
        InputError: A template among the terms is wrong, or the lookup cannot do with them.
        UnknownValueError: The terms are known only after apply.
    """
    rendered = _defined(terms, templar) if lookup == "first_found" else templar.render(terms)
    listed = list(rendered) if isinstance(rendered, list | tuple) else [rendered]
    try:
        if lookup in LOOPS:
            return list(LOOPS[lookup](templar, listed, {"folder": folder}))
        return list(LOOKUPS[lookup](templar, listed, {}))
    except TemplateFailure as failure:
        summary = f"with_{lookup}: {failure}"
        raise InputError.of([diagnostic(summary, first_place(terms), hint=failure.hint)]) from None


def _defined(value: Any, templar: Templar) -> Any:
    """`value` rendered, without those entries of lists and mappings that need what is not defined.

    `with_first_found` tries what there is: `[{{ os }}.yml, default.yml]`.
    """
    if isinstance(value, list):
        return [found for item in value for found in _if_defined(item, templar)]
    if isinstance(value, dict):
        return {key: found for key, item in value.items() for found in _if_defined(item, templar)}
    return templar.render(value)


def _if_defined(value: Any, templar: Templar) -> list[Any]:
    try:
        return [_defined(value, templar)]
    except UndefinedVariableError:
        if isinstance(value, TemplateText):
            return []
        raise
