"""Reading the keywords of one level (a play, a block, a task …) and handing them down to the levels inside."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from scupi_provision.playbook import known
from scupi_provision.playbook.models import Inherited
from scupi_provision.playbook.scalars import Problems
from scupi_provision.source import MappingNode, Node, diagnostic, suggestion
from scupi_provision.values import SourceText

Reader = Callable[[Node, Problems], Any]
Values = dict[str, Any]
"""Keyword values as read; a keyword that was not written is not in it."""


def read_keywords(
    node: MappingNode, table: Mapping[str, Reader], ansible: Iterable[str], problems: Problems
) -> tuple[Values, list[tuple[SourceText, Node]]]:
    """The values of the keywords of `table` that `node` has, and what is left over.

    Keywords of `ansible` that the table lacks are refused here; the caller judges what is left over.
    """
    values: Values = {}
    rest: list[tuple[SourceText, Node]] = []
    for key, value in node.items:
        name = str.__str__(key)
        reader = table.get(name)
        if reader is not None and name not in known.PENDING:
            if name != "become_user" or node.get("become") is None:  # `become` itself has been answered, or is false
                values[name] = reader(value, problems)
        elif reader is not None or name in ansible:
            refuse_keyword(key, problems)
        else:
            rest.append((key, value))
    return values, rest


def refuse_keyword(key: SourceText, problems: Problems) -> None:
    """Report a keyword that Ansible has and we do not (here)."""
    if key == "listen":
        problems.append(diagnostic('keyword "listen" belongs to handlers', key.position))
    else:
        problems.append(diagnostic(f'keyword "{key}" is not supported yet', key.position))


def refuse_unknown(key: SourceText, candidates: Iterable[str], problems: Problems, *, where: str = "") -> None:
    """Report a word that is no keyword here; `where` says of what, e.g. " of a play"."""
    summary = f'unknown keyword "{key}"{where}'
    hint = suggestion(key, sorted(candidates))
    problems.append(diagnostic(summary, key.position, detail=odd_characters(key), hint=hint))


def odd_characters(word: str) -> str:
    """Which characters of `word` are not what they look like: `contains U+043E CYRILLIC SMALL LETTER O`."""
    import unicodedata  # noqa: PLC0415 - only on the way to an error

    odd = dict.fromkeys(char for char in word if not char.isascii())
    names = (f"U+{ord(char):04X} {unicodedata.name(char, 'a character without a name')}" for char in odd)
    return "contains " + ", ".join(names) if odd else ""


def inherit(outer: Inherited, values: Values) -> Inherited:
    """`outer` with the keywords of a level below it merged in (see `Inherited` for the rules)."""
    if not values.keys() & _HANDED_DOWN:
        return outer
    variables = values.get("vars")
    environment = values.get("environment")
    defaults = values.get("module_defaults")
    innermost = {name: values[name] for name in _INNERMOST if values.get(name) is not None}
    return replace(
        outer,
        when=outer.when + values.get("when", ()),
        tags=tuple(dict.fromkeys((*outer.tags, *values.get("tags", ())))),
        variables=(*outer.variables, variables) if variables else outer.variables,
        environment=(*outer.environment, environment) if environment else outer.environment,
        module_defaults=(*outer.module_defaults, defaults) if defaults else outer.module_defaults,
        **innermost,
    )


_INNERMOST = (
    "any_errors_fatal",
    "become",
    "check_mode",
    "debugger",
    "delegate_facts",
    "delegate_to",
    "diff",
    "ignore_errors",
    "ignore_unreachable",
    "no_log",
    "notify",
    "run_once",
    "throttle",
    "timeout",
)
_HANDED_DOWN = frozenset({"when", "tags", "vars", "environment", "module_defaults", *_INNERMOST})
