"""Which module a task calls, and with which arguments: `module: text`, `module: {…}`, `action:`, `args:`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from scupi_provision.errors import Position
from scupi_provision.modules.contract import Module
from scupi_provision.modules.registry import LATER, ROOT_ONLY
from scupi_provision.playbook.arguments import RAW, argument_names, takes_any_name
from scupi_provision.playbook.context import Site, short_name
from scupi_provision.playbook.freeform import read_pairs, split_command
from scupi_provision.playbook.includes import STATEMENTS
from scupi_provision.playbook.keyword_tables import TASK
from scupi_provision.playbook.keywords import Values, odd_characters, refuse_unknown
from scupi_provision.playbook.scalars import Problems, kind_of, part_of
from scupi_provision.source import MappingNode, Node, NullNode, closest, diagnostic, implicit, raw, suggestion
from scupi_provision.values import SourceText

_PLAY_ONLY = frozenset({"hosts", "tasks", "roles", "pre_tasks", "post_tasks", "handlers"})


@dataclass(frozen=True)
class Call:
    """The module that a task calls: its short name, the name as written, what follows it, and the task."""

    name: str
    key: SourceText
    value: Node
    node: MappingNode


def find_call(node: MappingNode, values: Values, rest: list[tuple[SourceText, Node]], site: Site) -> Call | None:
    """The one module among `rest` (what is left of a task without its keywords), or None when that was reported."""
    if any(str(key) in _PLAY_ONLY for key, _ in rest):
        hint = "plays stand at the top of a playbook, not in a list of tasks"
        site.problems.append(diagnostic("this is a play, not a task", node.position, hint=hint))
        return None
    calls = [Call(short_name(key), key, value, node) for key, value in rest if _is_known(key, site)]
    unknown = [key for key, _ in rest if not _is_known(key, site)]
    if "action" in values:
        calls += _read_action(node, values["action"], site)
    if len(calls) > 1:
        names = f'"{calls[0].key}" and "{calls[1].key}"'
        summary = f"a task calls one module, and this one calls {names}"
        site.problems.append(diagnostic(summary, calls[1].key.position, hint='begin another task with "- "'))
        return None
    if calls:
        for key in unknown:
            refuse_unknown(key, TASK, site.problems)
        return calls[0]
    _refuse_without_module(node, unknown, site)
    return None


def _is_known(name: str, site: Site) -> bool:
    return site.module(name) is not None or short_name(name) in STATEMENTS or short_name(name) == "meta"


def _read_action(node: MappingNode, value: Node, site: Site) -> list[Call]:
    if isinstance(value, MappingNode):
        name = value.get("module")
        items = tuple(item for item in value.items if item[0] != "module")
        arguments: Node = MappingNode(items, value.position)
    else:
        name, arguments = value, NullNode(value.position)
    if not isinstance(name, SourceText) or not name.strip():
        site.problems.append(diagnostic("action must name a module", value.position))
        return []
    word, _, text = str(name).strip().partition(" ")
    if text.strip():
        text = text.strip()
        arguments = part_of(name, text, str(name).index(text, len(word)))
    key = SourceText(word, name.position)
    if not _is_known(word, site):
        _refuse_module(key, site)
        return []
    return [Call(short_name(word), key, arguments, node)]


def _refuse_without_module(node: MappingNode, unknown: list[SourceText], site: Site) -> None:
    """Say what the words that are neither keyword nor module may have been meant to be."""
    if not unknown:
        if not any(str(key) in {"action", "local_action"} for key, _ in node.items):
            hint = "add a line such as `command: …` or `copy:`"
            site.problems.append(diagnostic("this task names no module", node.position, hint=hint))
        return
    for key in unknown:
        meant_keyword = closest(key, TASK) is not None and closest(short_name(key), site.modules) is None
        if meant_keyword:
            refuse_unknown(key, TASK, site.problems)
        else:
            _refuse_module(key, site)


def _refuse_module(key: SourceText, site: Site) -> None:
    name = short_name(key)
    last = name.rpartition(".")[2]
    if name == "import_playbook":
        summary, hint = "import_playbook stands at the top of a playbook, beside the plays", ""
    elif name == "include":
        summary, hint = 'Ansible has removed "include"', "write include_tasks or import_tasks"
    elif last in ROOT_ONLY:
        summary, hint = f'module "{key}" needs root, which nobody has on the cluster', ROOT_ONLY[last]
    elif last in LATER:
        summary, hint = f'module "{key}" is not supported yet', ""
    else:
        summary = f'unknown module "{key}"'
        hint = suggestion(last, [*site.modules, *STATEMENTS]) or suggestion(key, TASK)
    site.problems.append(diagnostic(summary, key.position, detail=odd_characters(key), hint=hint))


def read_arguments(
    call: Call, module: Module, extra: Node | None, problems: Problems
) -> tuple[dict[str, Any], dict[str, Position]]:
    """The arguments of `call` by name, and where the names stand; `extra` is the value of the keyword `args`.

    Text, lists and mappings stay as written, except under names that the module does not declare (`set_fact`): they
    are variables, and typed as such.
    """
    arguments: dict[str, Any] = {}
    positions: dict[str, Position] = {}
    if isinstance(extra, MappingNode):
        _add_mapping(extra, module, arguments, positions)
    elif extra is not None and not isinstance(extra, NullNode):
        problems.append(diagnostic(f"args must be a mapping, not {kind_of(extra)}", extra.position))
    if isinstance(call.value, MappingNode):
        _add_mapping(call.value, module, arguments, positions)
    elif isinstance(call.value, SourceText):
        _add_text(call, call.value, module, arguments, positions, problems)
    elif not isinstance(call.value, NullNode):
        hint = "write `argument: value` lines below it"
        problems.append(diagnostic(f'"{call.key}" cannot have a list of arguments', call.value.position, hint=hint))
    return arguments, positions


def _add_mapping(node: MappingNode, module: Module, arguments: dict[str, Any], positions: dict[str, Position]) -> None:
    declared: Mapping[str, str] = argument_names(module.args)
    free = takes_any_name(module.args)
    for key, value in node.items:
        name = str.__str__(key)
        arguments[name] = implicit(value) if free and name not in declared else raw(value)
        positions[name] = key.position


def _add_text(
    call: Call,
    text: SourceText,
    module: Module,
    arguments: dict[str, Any],
    positions: dict[str, Position],
    problems: Problems,
) -> None:
    if module.free_form is not None:
        command, found = split_command(text, module.args.model_fields)
        if command:
            arguments[RAW] = command
            positions[RAW] = text.position
    else:
        try:
            found = read_pairs(text)
        except ValueError as error:
            hint = f"write `{call.key}: name=value`, or `name: value` lines below it"
            summary = f'module "{module.name}" takes no free text: {error}'
            problems.append(diagnostic(summary, text.position, hint=hint))
            return
    for name, value in found.items():
        arguments[name] = value
        positions[name] = value.position
