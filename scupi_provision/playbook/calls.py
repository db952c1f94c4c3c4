"""Which module a task calls, and with which arguments: `module: text`, `module: {…}`, `action:`, `args:`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, get_args

from scupi_provision.errors import Position
from scupi_provision.modules.contract import Module
from scupi_provision.modules.registry import LATER, ROOT_ONLY
from scupi_provision.playbook.arguments import RAW, VARIABLE, argument_names, takes_any_name
from scupi_provision.playbook.context import Site, short_name
from scupi_provision.playbook.freeform import read_pairs, split_command
from scupi_provision.playbook.includes import STATEMENTS
from scupi_provision.playbook.keyword_tables import TASK
from scupi_provision.playbook.keywords import Values, odd_characters, refuse_unknown
from scupi_provision.playbook.scalars import Problems, is_template, is_whole_template, kind_of, part_of
from scupi_provision.source import MappingNode, Node, NullNode, closest, diagnostic, implicit, raw, suggestion
from scupi_provision.values import SourceText, TemplateText

_RAW_NAMES = {"_raw_params": RAW}
"""By which names a mapping may give the text of a free-form module."""
_PLAY_ONLY = frozenset({"hosts", "tasks", "roles", "pre_tasks", "post_tasks", "handlers"})


@dataclass(frozen=True)
class Call:
    """The module that a task calls.

    Attributes:
        name: Its short name.
        key: The name as written.
        value: What follows it.
        node: The task.
        more: Text of arguments beside a mapping of them (`action: {module: copy src=a, dest: b}`).
    """

    name: str
    key: SourceText
    value: Node
    node: MappingNode
    more: SourceText | None = None


def find_call(node: MappingNode, values: Values, rest: list[tuple[SourceText, Node]], site: Site) -> Call | None:
    """The one module among `rest` (what is left of a task without its keywords), or None when that was reported."""
    if any(str(key) in _PLAY_ONLY for key, _ in rest):
        hint = "plays stand at the top of a playbook, not in a list of tasks"
        site.problems.append(diagnostic("this is a play, not a task", node.position, hint=hint))
        return None
    calls = [Call(_module_name(key, value), key, value, node) for key, value in rest if _is_known(key, site)]
    unknown = [key for key, _ in rest if not _is_known(key, site)]
    calls += _spelled_out(node, values, site)
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


def _module_name(name: str, value: Node) -> str:
    """The short name of the module meant by `name`.

    Ansible's `expect` answers the questions of a program (`responses:`), ours makes claims about a host.
    """
    short = short_name(name)
    if short != "expect":
        return short
    answers = isinstance(value, MappingNode) and value.get("responses") is not None
    return "expect_responses" if answers or name.startswith("ansible.") else short


def _is_known(name: str, site: Site) -> bool:
    return site.module(name) is not None or short_name(name) in STATEMENTS or short_name(name) == "meta"


def _spelled_out(node: MappingNode, values: Values, site: Site) -> list[Call]:
    """The calls by `action:` and `local_action:`; the second one runs on this computer."""
    calls: list[Call] = []
    for keyword in ("action", "local_action"):
        if keyword in values:
            calls += _read_action(node, values[keyword], keyword, site)
            if keyword == "local_action":
                values["delegate_to"] = TemplateText("localhost", values[keyword].position)
    return calls


def _read_action(node: MappingNode, value: Node, keyword: str, site: Site) -> list[Call]:
    items: tuple[tuple[SourceText, Node], ...] = ()
    name: Node | None = value
    if isinstance(value, MappingNode):
        name = value.get("module")
        items = tuple(item for item in value.items if item[0] != "module")
    if not isinstance(name, SourceText) or not name.strip():
        site.problems.append(diagnostic(f"{keyword} must name a module", value.position))
        return []
    word, _, text = str(name).strip().partition(" ")
    if is_template(name) and "{" in word:
        hint = "write one task for each module, with a `when`"
        site.problems.append(diagnostic(f"a template cannot choose the module of {keyword}", name.position, hint=hint))
        return []
    key = SourceText(word, name.position)
    if not _is_known(word, site):
        _refuse_module(key, site)
        return []
    text = text.strip()
    said = part_of(name, text, str(name).index(text, len(word))) if text else None
    arguments: Node = MappingNode(items, value.position) if items else said or NullNode(value.position)
    return [Call(_module_name(word, arguments), key, arguments, node, said if items else None)]


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
    elif is_whole_template(extra):
        arguments[VARIABLE] = extra
    elif extra is not None and not isinstance(extra, NullNode):
        problems.append(diagnostic(f"args must be a mapping, not {kind_of(extra)}", extra.position))
    if isinstance(call.value, MappingNode):
        _add_mapping(call.value, module, arguments, positions)
        if call.more is not None:
            _add_text(call, call.more, module, arguments, positions, problems)
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
        name = _RAW_NAMES.get(key, str.__str__(key)) if module.free_form else str.__str__(key)
        is_typed = name in declared and not _takes_any_value(module, declared[name])
        arguments[name] = raw(value) if is_typed or (name not in declared and not free) else implicit(value)
        positions[name] = key.position


def _takes_any_value(module: Module, field: str) -> bool:
    """Whether nothing says what is in the argument (`debug: msg`, `uri: body`), so that a number in it is one."""
    annotation = module.args.model_fields[field].annotation
    return annotation is Any or Any in get_args(annotation)


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
    elif is_whole_template(text):
        arguments[VARIABLE] = text
        return
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
