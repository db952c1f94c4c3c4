"""`module_defaults`: arguments that modules get when a task does not give them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from scupi_provision.modules.contract import Module
from scupi_provision.modules.registry import LATER, ROOT_ONLY, find
from scupi_provision.playbook.arguments import argument_names, with_free_form
from scupi_provision.playbook.context import short_name
from scupi_provision.playbook.scalars import Problems, kind_of
from scupi_provision.source import MappingNode, Node, NullNode, SequenceNode, diagnostic, implicit, raw, suggestion

ModuleDefaults = dict[str, dict[str, Any]]
"""By the name that the playbook wrote, without `ansible.builtin.`: raw arguments by name."""


def read_module_defaults(node: Node, problems: Problems) -> ModuleDefaults:
    """The defaults in a mapping, or in a list of mappings, of which later ones win."""
    if isinstance(node, NullNode):
        return {}
    found: ModuleDefaults = {}
    for part in node.items if isinstance(node, SequenceNode) else (node,):
        if isinstance(part, MappingNode):
            _add(part, found, problems)
        else:
            hint = "write the name of a module, and its arguments below it"
            summary = f"module_defaults must be a mapping, not {kind_of(part)}"
            problems.append(diagnostic(summary, part.position, hint=hint))
    return found


def _add(node: MappingNode, found: ModuleDefaults, problems: Problems) -> None:
    for key, value in node.items:
        name = str.__str__(key)
        if name.startswith("group/"):
            hint = "name the modules one by one"
            problems.append(diagnostic(f'"{key}": groups of modules are not supported', key.position, hint=hint))
        elif not _is_module(name):
            hint = suggestion(name, sorted(LATER | ROOT_ONLY.keys()))
            problems.append(diagnostic(f'unknown module "{key}" in module_defaults', key.position, hint=hint))
        elif isinstance(value, MappingNode | NullNode):
            typed = implicit if name == "set_fact" else raw
            found[short_name(name)] = typed(value) or {}
        else:
            summary = f"the arguments of {key} must be a mapping, not {kind_of(value)}"
            problems.append(diagnostic(summary, value.position))


def _is_module(name: str) -> bool:
    """Whether a module of this name exists anywhere; one from a collection that we do not know may."""
    short = short_name(name)
    return find(name) is not None or "." in short or short in LATER or short in ROOT_ONLY


def defaults_of(module: Module, layers: Sequence[Mapping[str, Mapping[str, Any]]]) -> dict[str, Any]:
    """The raw arguments that `layers` (outermost first) give to `module`: those of the innermost that names it."""
    names = {module.name, *module.aliases, *map(short_name, module.aliases)}
    found: dict[str, Any] = {}
    for layer in layers:
        for name in names & layer.keys():
            found = dict(layer[name])
    return found


def with_defaults(
    module: Module, arguments: Mapping[str, Any], layers: Sequence[Mapping[str, Mapping[str, Any]]]
) -> dict[str, Any]:
    """`arguments` and the defaults for what they do not give, by whichever name of the argument."""
    defaults = defaults_of(module, layers) if layers else {}
    if not defaults:
        return dict(arguments)
    fields = argument_names(module.args)
    given = {fields.get(name, name) for name in with_free_form(module, arguments)}
    return {**{name: value for name, value in defaults.items() if fields.get(name, name) not in given}, **arguments}
