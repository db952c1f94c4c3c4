"""The task before those of a role with `meta/argument_specs.yml`: it judges what the role is given, as Ansible's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from scupi_provision.errors import Position
from scupi_provision.playbook.context import Scope, Site
from scupi_provision.playbook.keywords import inherit
from scupi_provision.playbook.models import Role, Task
from scupi_provision.source import Node, implicit, raw
from scupi_provision.values import SourceText, TemplateText

_MODULE = "validate_argument_spec"
_FOR_PEOPLE = frozenset(("description", "short_description", "version_added", "author", "seealso", "notes"))


def spec_of(specs: Node | None, entry: str) -> dict[str, Any]:
    """What `specs` (entry points by name) says of the entry point `entry`, as text; {} when it says nothing."""
    node = getattr(specs, "get", lambda _name: None)(entry)
    value = raw(node) if node is not None else None
    return value if isinstance(value, dict) else {}


def validation(role: Role, specs: Node | None, entry: str, scope: Scope, site: Site) -> tuple[Task, ...]:
    """The task that judges the arguments of `role`, run whatever tags are chosen; none without a specification.

    Args:
        role: The role; its parameters count as given, its other variables where the specification names them.
        specs: The entry points of its specification.
        entry: The one that is used: what `tasks_from` says, or `main`.
        scope: Where the role is used.
        site: The modules.
    """
    node = getattr(specs, "get", lambda _name: None)(entry)
    spec = implicit(node) if node is not None else None
    if not isinstance(spec, dict) or site.module(_MODULE) is None:
        return ()
    name = f"Validating arguments against arg spec '{entry}'"
    if "short_description" in spec:
        name += f" - {spec['short_description']}"
    where = role.where or Position(str(role.directory), 1, 1)
    context = {"type": "role", "name": role.name, "argument_spec_name": entry, "path": str(role.directory)}
    arguments = {
        "argument_spec": _for_machines(spec.get("options") or {}),
        "provided_arguments": dict(role.parameters),
        "validate_args_context": context,
    }
    inherited = inherit(scope.inherited, {"tags": ("always",)})
    return (Task(TemplateText(name, where), _MODULE, arguments, where, inherited=inherited, role=role),)


def _for_machines(options: Any) -> Any:
    """`options` without what only describes them: descriptions may hold braces, and nothing needs them."""
    if not isinstance(options, Mapping):
        return options
    return {
        _plain(name): {
            _plain(key): _for_machines(value) if key == "options" else value
            for key, value in option.items()
            if key not in _FOR_PEOPLE
        }
        if isinstance(option, Mapping)
        else option
        for name, option in options.items()
    }


def _plain(name: str) -> str:
    return str.__str__(name) if isinstance(name, SourceText) else name
