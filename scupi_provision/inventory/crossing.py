"""Hosts crossed with accounts: for each the groups, and the variables by level."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scupi_provision.errors import Position
from scupi_provision.inventory.accounts import login_variables
from scupi_provision.inventory.folders import VariableFolders
from scupi_provision.inventory.inventory import full_name
from scupi_provision.inventory.levels import Level, VariableLevel
from scupi_provision.inventory.lineage import Lineage
from scupi_provision.inventory.models import Account, Host, InventoryVariables
from scupi_provision.inventory.tree import ALL, NOWHERE, UNGROUPED, HostDraft
from scupi_provision.inventory.variables import Problems
from scupi_provision.source import diagnostic
from scupi_provision.values import TemplateText

PRIORITY = "ansible_group_priority"
_DEFAULT_PRIORITY = 1
LOCALHOST = ("localhost", "127.0.0.1", "::1")
"""Names for which Ansible makes a host when the inventory has none (LOCALHOST in ansible/constants.py)."""


@dataclass(frozen=True)
class Crossing:
    """Makes the hosts of one account after another.

    Attributes:
        lineage: The groups, settled.
        files: Reads `group_vars/` and `host_vars/`.
        inventory_folders: Where those of the inventories stand, the weakest first.
        playbook_folder: Where those of the playbook stand, or None.
    """

    lineage: Lineage
    files: VariableFolders
    inventory_folders: tuple[Path, ...]
    playbook_folder: Path | None

    def hosts(self, account: Account | None, accounts: int) -> Iterator[Host]:
        """Every host as `account` sees it; `accounts` is how many there are."""
        for base in self.lineage.hosts_of(ALL):
            yield self._host(self.lineage.tree.hosts[base], account, alone=accounts <= 1)

    def _host(self, draft: HostDraft, account: Account | None, *, alone: bool) -> Host:
        groups = self.lineage.groups_of(draft.name)
        if account is not None:
            own = self.lineage.with_ancestors(account.groups)
            groups = (groups - {UNGROUPED} if own else groups) | own | {draft.name, account.id}
        name = full_name(draft.name, account.id if account else None)
        levels = (*self._all(), *self._groups(groups), *self._own(draft, name, account))
        variables = InventoryVariables.of(levels)
        return Host(
            name=name,
            base=draft.name,
            where=draft.where,
            account=account.id if account else None,
            label=draft.name if alone else name,
            groups=tuple(sorted(groups)),
            variables=variables,
            via=variables.merged().get("via") or None,
        )

    def localhost(self, name: str) -> Host:
        """The computer that we run on, as Ansible has it when no inventory names it: in no group, not in `all`."""
        own = VariableLevel(Level.IMPLICIT, name, {"ansible_connection": "local"}, NOWHERE)
        host_files = self._files("host_vars", name, Level.HOST_FILE, Level.HOST_PLAYBOOK_FILE)
        variables = InventoryVariables.of((*self._all(), own, *host_files))
        return Host(name=name, base=name, where=NOWHERE, label=name, variables=variables, implicit=True)

    def _all(self) -> Iterator[VariableLevel]:
        yield self._drafted(Level.ALL, ALL)
        yield from self._files("group_vars", ALL, Level.ALL_FILE, Level.ALL_PLAYBOOK_FILE)

    def _groups(self, names: set[str]) -> Iterator[VariableLevel]:
        """Parents before children, then by `ansible_group_priority`, then by name; files after the inventory's text."""
        ordered = sorted(names, key=lambda name: (self.lineage.depths.get(name, 1), self._priority(name), name))
        for name in ordered:
            if name in self.lineage.tree.groups:
                yield self._drafted(Level.GROUP, name)
        for folders, level in ((self.inventory_folders, Level.GROUP_FILE), (self._beside, Level.GROUP_PLAYBOOK_FILE)):
            for folder in folders:
                for name in ordered:
                    yield from self._read(folder / "group_vars", name, level)

    def _drafted(self, level: Level, name: str) -> VariableLevel:
        draft = self.lineage.tree.groups[name]
        variables = {key: value for key, value in draft.variables.items() if key != PRIORITY}
        return VariableLevel(level, name, variables, draft.where)

    def _priority(self, name: str) -> int:
        draft = self.lineage.tree.groups.get(name)
        value = draft.variables.get(PRIORITY) if draft else None
        return int(value) if isinstance(value, int | str) else _DEFAULT_PRIORITY

    def _own(self, draft: HostDraft, name: str, account: Account | None) -> Iterator[VariableLevel]:
        yield VariableLevel(Level.HOST, draft.name, draft.variables, draft.where)
        yield from self._files("host_vars", draft.name, Level.HOST_FILE, Level.HOST_PLAYBOOK_FILE)
        if account is not None:
            yield VariableLevel(Level.ACCOUNT, account.id, login_variables(account), account.where)
            yield from self._files("host_vars", name, Level.ACCOUNT_FILE, Level.ACCOUNT_PLAYBOOK_FILE)

    @property
    def _beside(self) -> tuple[Path, ...]:
        return (self.playbook_folder,) if self.playbook_folder is not None else ()

    def _files(self, kind: str, name: str, inventory: Level, playbook: Level) -> Iterator[VariableLevel]:
        for folders, level in ((self.inventory_folders, inventory), (self._beside, playbook)):
            for folder in folders:
                yield from self._read(folder / kind, name, level)

    def _read(self, folder: Path, name: str, level: Level) -> Iterator[VariableLevel]:
        for file in self.files.read(folder, name):
            yield VariableLevel(level, name, file.variables, Position(str(file.path), 1, 1))


def check_priorities(lineage: Lineage, problems: Problems) -> None:
    """`ansible_group_priority` must be a whole number: it decides which of two groups wins."""
    for group in lineage.tree.groups.values():
        for key, value in group.variables.items():
            if key == PRIORITY and not _is_whole(value):
                where = value.position if isinstance(value, TemplateText) else key.position
                problems.append(diagnostic(f'{PRIORITY}: "{value}" is not a whole number', where))


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) or (isinstance(value, str) and value.strip().lstrip("-").isdecimal())
