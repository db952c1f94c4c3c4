"""Which keywords plays, blocks, tasks and role entries have, as data: each name with the reader of its value."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from scupi_provision.playbook import known
from scupi_provision.playbook.models import Inherited
from scupi_provision.playbook.scalars import (
    Problems,
    read_boolean,
    read_conditions,
    read_environment,
    read_identifier,
    read_number,
    read_optional_text,
    read_static_boolean,
    read_text_value,
    read_texts,
    read_variables,
    read_words,
)
from scupi_provision.source import MappingNode, Node, diagnostic, suggestion
from scupi_provision.values import SourceText

Reader = Callable[[Node, Problems], Any]
Values = dict[str, Any]
"""Keyword values as read; a keyword that was not written is not in it."""


def _unread(node: Node, _problems: Problems) -> Node:
    """Left to the reader of the whole (tasks, roles, handlers)."""
    return node


def _no_root(node: Node, problems: Problems) -> bool:
    if read_boolean(node, []) is not False:
        hint = "remove it; install into the home instead"
        summary = "become is not possible: nobody has root on the cluster"
        problems.append(diagnostic(summary, node.position, hint=hint))
    return False


INHERITED: Mapping[str, Reader] = {
    "tags": read_words,
    "environment": read_environment,
    "ignore_errors": read_boolean,
    "no_log": read_boolean,
    "check_mode": read_boolean,
    "diff": read_boolean,
    "become": _no_root,
}
"""What every level may say and hands down."""

PLAY: Mapping[str, Reader] = {
    **INHERITED,
    "name": read_optional_text,
    "hosts": read_texts,
    "vars": read_variables,
    "vars_files": _unread,
    "gather_facts": read_static_boolean,
    "any_errors_fatal": read_static_boolean,
    "roles": _unread,
    "pre_tasks": _unread,
    "tasks": _unread,
    "post_tasks": _unread,
    "handlers": _unread,
    "verify": read_texts,
    "verify_tasks": _unread,
}
BLOCK: Mapping[str, Reader] = {
    **INHERITED,
    "name": read_optional_text,
    "when": read_conditions,
    "vars": read_variables,
    "block": _unread,
    "rescue": _unread,
    "always": _unread,
}
TASK: Mapping[str, Reader] = {
    **INHERITED,
    "name": read_optional_text,
    "when": read_conditions,
    "vars": read_variables,
    "args": _unread,
    "action": _unread,
    "loop": _unread,
    "with_items": _unread,
    "loop_control": _unread,
    "register": read_identifier,
    "notify": read_texts,
    "changed_when": read_conditions,
    "failed_when": read_conditions,
    "until": read_conditions,
    "retries": read_number,
    "delay": read_number,
}
HANDLER: Mapping[str, Reader] = {**TASK, "listen": read_words}
LOOP_CONTROL: Mapping[str, Reader] = {
    "loop_var": read_identifier,
    "index_var": read_identifier,
    "label": read_text_value,
}
ROLE_ENTRY: Mapping[str, Reader] = {
    **INHERITED,
    "role": read_text_value,
    "name": read_text_value,
    "when": read_conditions,
    "vars": read_variables,
}
IMPORT_PLAYBOOK: Mapping[str, Reader] = {
    "import_playbook": read_text_value,
    "name": read_optional_text,
    "tags": read_words,
    "when": read_conditions,
    "vars": read_variables,
}


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
        if reader is not None:
            values[name] = reader(value, problems)
        elif name in ansible or name in known.LOOP_ADVICE:
            refuse_keyword(key, problems)
        else:
            rest.append((key, value))
    return values, rest


def refuse_keyword(key: SourceText, problems: Problems) -> None:
    """Report a keyword that Ansible has and we do not."""
    if key.startswith("become"):
        hint = "remove it; install into the home instead"
        problems.append(diagnostic(f'"{key}": nobody has root on the cluster', key.position, hint=hint))
    elif key == "connection":
        hint = "set `ansible_connection` for the host in the inventory"
        problems.append(diagnostic('keyword "connection" is not supported yet', key.position, hint=hint))
    elif key == "listen":
        problems.append(diagnostic('keyword "listen" belongs to handlers', key.position))
    else:
        hint = known.LOOP_ADVICE.get(key, "")
        problems.append(diagnostic(f'keyword "{key}" is not supported yet', key.position, hint=hint))


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
    innermost = {name: values[name] for name in _INNERMOST if values.get(name) is not None}
    return replace(
        outer,
        when=outer.when + values.get("when", ()),
        tags=tuple(dict.fromkeys((*outer.tags, *values.get("tags", ())))),
        variables=(*outer.variables, variables) if variables else outer.variables,
        environment=(*outer.environment, environment) if environment else outer.environment,
        **innermost,
    )


_INNERMOST = ("ignore_errors", "no_log", "check_mode", "diff")
_HANDED_DOWN = frozenset({"when", "tags", "vars", "environment", *_INNERMOST})
