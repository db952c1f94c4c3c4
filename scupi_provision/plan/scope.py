"""The variables of one play on one host, as they stand at each task."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from scupi_provision.inventory.models import Host
from scupi_provision.plan.company import Company
from scupi_provision.playbook.files import search_folders
from scupi_provision.playbook.models import Include, Inherited, Play, Role, Task
from scupi_provision.playbook.templating import OMIT, Templar
from scupi_provision.playbook.variables import Layer, VariableStore

ANSIBLE_VERSION = {"full": "2.19.0", "major": 2, "minor": 19, "revision": 0, "string": "2.19.0"}
"""The version of Ansible whose documentation we follow; playbooks ask for it to choose what they use."""


@dataclass
class PlayScope:
    """Composes what a task sees. `dynamic` (registered values, set_fact) grows while the play is walked.

    Attributes:
        host: The host that the tasks run on.
        facts: `ansible_facts` of the host.
        magic: `groups`, `hostvars`, … that do not change during the play.
        extra: `--extra-vars`, the strongest of the user's layers.
        playbook_directory: Where `files/` and `templates/` of the playbook are.
        inherited_dynamic: Registered values and facts of the applied host, for tasks that verify on another one.
        company: The other hosts of the play, as far as this one can see them.
    """

    play: Play
    host: Host
    facts: Mapping[str, Any]
    magic: Mapping[str, Any]
    extra: Mapping[str, Any]
    playbook_directory: Path
    inherited_dynamic: Mapping[str, Any] = field(default_factory=dict)
    dynamic: dict[str, Any] = field(default_factory=dict)
    company: Company = field(default_factory=Company)
    _bases: dict[tuple[int, ...], Mapping[str, Any]] = field(default_factory=dict)

    def templar(self, item: Task | Include, local: Mapping[str, Any]) -> Templar:
        """A Templar with everything that `item` sees; `local` holds loop variables."""
        role = item.role
        strongest_first = (
            self._role_magic(role),
            self.magic,
            self.extra,
            local,
            *reversed(item.inherited.parameters),
            role.parameters if role else {},
            self.dynamic,
            self._base(role, item.inherited),
        )
        variables: Mapping[str, Any] = ChainMap(*strongest_first)
        folders = search_folders(role, Path(item.where.file), self.playbook_directory)
        return Templar(variables, search_paths=folders)

    def store(self, role: Role | None, inherited: Inherited) -> VariableStore:
        """Every layer beneath the dynamic ones."""
        variables = self.host.variables
        store = VariableStore()
        others = [r for r in self.play.roles if role is None or r.name != role.name]
        for used in (*others, *((role,) if role else ())):
            store = store.layer(Layer.ROLE_DEFAULTS, used.defaults).layer(Layer.ROLE_VARS, used.variables)
        store = (
            store.layer(Layer.INVENTORY_ALL, variables.all)
            .layer(Layer.INVENTORY_GROUP, variables.groups)
            .layer(Layer.INVENTORY_HOST, variables.host)
            .layer(Layer.FACTS, fact_variables(self.facts))
            .layer(Layer.SET_FACTS, self.inherited_dynamic)
        )
        for mapping in self.play.variables:
            store = store.layer(Layer.PLAY_VARS, mapping)
        for mapping in inherited.variables:
            store = store.layer(Layer.TASK_VARS, mapping)
        return store

    def _base(self, role: Role | None, inherited: Inherited) -> Mapping[str, Any]:
        key = (id(role), *map(id, inherited.variables))
        if key not in self._bases:
            self._bases[key] = self.store(role, inherited).combined()
        return self._bases[key]

    @staticmethod
    def _role_magic(role: Role | None) -> dict[str, Any]:
        return {"role_path": str(role.directory), "role_name": role.name} if role else {}


def fact_variables(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Facts as variables: `ansible_facts` and, as Ansible injects them, `ansible_<name>`."""
    return {"ansible_facts": dict(facts), **{f"ansible_{name}": value for name, value in facts.items()}}


def magic_variables(host: Host, groups: Mapping[str, list[str]], **more: Any) -> dict[str, Any]:
    """The variables that provision itself defines for `host`."""
    return {
        "inventory_hostname": host.name,
        "inventory_hostname_short": host.base.split(".")[0],
        "group_names": list(host.groups),
        "groups": dict(groups),
        "omit": OMIT,
        "ansible_version": ANSIBLE_VERSION,
        **more,
    }
