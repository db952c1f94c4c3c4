"""An inventory file, Ansible's YAML form plus `accounts:`, to an Inventory. All errors are reported together."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scupi_provision.errors import InputError
from scupi_provision.inventory.accounts import login_variables, position_of, read_accounts
from scupi_provision.inventory.folders import read_folder
from scupi_provision.inventory.inventory import Inventory, full_name
from scupi_provision.inventory.models import Account, Host, InventoryVariables
from scupi_provision.inventory.tree import Tree, read_tree
from scupi_provision.inventory.variables import Problems
from scupi_provision.source import MappingNode, NullNode, diagnostic, read_text, suggestion

_INI_SECTION = re.compile(r"\s*\[[\w.:-]+\]\s*([#;].*)?$")
_DEFAULT_PRIORITY = 1


def load_inventory(path: Path, playbook_dir: Path | None = None, *, text: str | None = None) -> Inventory:
    """Read the inventory file `path`.

    Args:
        path: The YAML file.
        playbook_dir: Where a second pair of `group_vars/` and `host_vars/` may stand.
        text: What to read instead of the file's content: how it would be after an edit.

    Raises:
        InputError: Everything that is wrong with it.
    """
    document = _parse(path, _read(path) if text is None else text)
    problems: Problems = []
    tree = read_tree(document, problems)
    accounts = read_accounts(document.get("accounts"), tree.hosts, problems)
    folders = [path.parent]
    if playbook_dir is not None and playbook_dir.resolve() != path.parent.resolve():
        folders.append(playbook_dir)
    reader = _Crossing(tree, tree.depths(), tuple(folders), problems, {})
    everyone = {host.name: host for account in accounts or (None,) for host in reader.cross(account, len(accounts))}
    if not problems:
        _check_routes(everyone, problems)
    if problems:
        raise InputError.of(problems)
    hosts = tuple(host for host in everyone.values() if _may_use(host, accounts))
    return Inventory(path, hosts, accounts, _members(hosts, tree, accounts), everyone, *tree.shape())


def _read(path: Path) -> str:
    if not path.exists():
        hint = "name one with `--inventory FILE`, or make one with `provision init DIR`"
        raise InputError(f"there is no inventory file {path}", hint=hint)
    if path.is_dir():
        hint = "name one YAML file; group_vars/ and host_vars/ beside it are read too"
        raise InputError(f"{path} is a folder; inventory folders are not supported yet", hint=hint)
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot read the inventory file {path}", detail=str(error)) from error


def _parse(path: Path, text: str) -> MappingNode:
    if _is_ini(path, text):
        hint = "for example\n    all:\n      hosts:\n        admin1:\n          ansible_host: 121.48.227.161"
        raise InputError(f"{path}: INI inventories are not supported yet; write YAML", hint=hint)
    document = read_text(text, str(path))
    if isinstance(document, NullNode):
        return MappingNode((), document.position)
    if not isinstance(document, MappingNode):
        hint = "begin with `all:`"
        raise InputError.of([diagnostic("an inventory must be a mapping of groups", document.position, hint=hint)])
    return document


def _is_ini(path: Path, text: str) -> bool:
    lines = (line for line in text.splitlines() if line.strip() and not line.lstrip().startswith(("#", ";")))
    return path.suffix == ".ini" or bool(_INI_SECTION.match(next(lines, "")))


def _may_use(host: Host, accounts: tuple[Account, ...]) -> bool:
    account = next((account for account in accounts if account.id == host.account), None)
    return account is None or account.hosts is None or host.base in account.hosts


def _members(hosts: Iterable[Host], tree: Tree, accounts: Iterable[Account]) -> dict[str, tuple[str, ...]]:
    members: dict[str, list[str]] = {"all": [], **{name: [] for name in tree.groups}}
    members |= {str(name): [] for account in accounts for name in account.groups}
    for host in hosts:
        for name in {"all", host.name, host.base, *host.groups}:
            members.setdefault(name, []).append(host.name)
    members.setdefault("ungrouped", [])
    return {name: tuple(names) for name, names in members.items()}


@dataclass(frozen=True)
class _Crossing:
    """Makes the hosts of one account after another; files of variables are read once."""

    tree: Tree
    depths: dict[str, int]
    folders: tuple[Path, ...]
    problems: Problems
    cache: dict[tuple[str, str], dict[str, Any]]

    def cross(self, account: Account | None, accounts: int) -> list[Host]:
        return [self._host(base, account, alone=accounts <= 1) for base in self.tree.hosts]

    def _host(self, base: str, account: Account | None, *, alone: bool) -> Host:
        draft = self.tree.hosts[base]
        groups = self.tree.groups_of(base)
        if account is not None:
            own = self.tree.with_ancestors({str(name) for name in account.groups})
            groups = (groups - {"ungrouped"} if own else groups) | own | {base, account.id}
        name = full_name(base, account.id if account else None)
        variables = InventoryVariables(self._all(), self._groups(groups), self._own(base, name, account))
        via = variables.merged().get("via")
        return Host(
            name=name,
            base=base,
            where=draft.where,
            account=account.id if account else None,
            label=base if alone else name,
            groups=tuple(sorted(groups)),
            variables=variables,
            via=via or None,
        )

    def _all(self) -> dict[str, Any]:
        return {**self.tree.groups["all"].variables, **self._file("group_vars", "all")}

    def _groups(self, names: set[str]) -> dict[str, Any]:
        """Parents before children, then `ansible_group_priority`, then names; files win over the inventory's text.

        `group_vars/all` is stronger than a group's text in the inventory (Ansible's order 4 over 3), so what it
        says about a variable of a group is repeated in this layer.
        """
        ordered = sorted(names, key=lambda name: (self.depths.get(name, 1), self._priority(name), name))
        merged: dict[str, Any] = {}
        for name in ordered:
            merged.update(self.tree.groups[name].variables if name in self.tree.groups else {})
        merged.update({key: value for key, value in self._file("group_vars", "all").items() if key in merged})
        for folder in self.folders:
            for name in ordered:
                merged.update(self._folder(folder / "group_vars", name))
        merged.pop("ansible_group_priority", None)
        return merged

    def _priority(self, name: str) -> int:
        draft = self.tree.groups.get(name)
        value = draft.variables.get("ansible_group_priority") if draft else None
        return int(value) if isinstance(value, int) else _DEFAULT_PRIORITY

    def _own(self, base: str, name: str, account: Account | None) -> dict[str, Any]:
        own = {**self.tree.hosts[base].variables, **self._file("host_vars", base)}
        if account is not None:
            own |= login_variables(account)
            own |= self._file("host_vars", name)
        return own

    def _file(self, kind: str, name: str) -> dict[str, Any]:
        merged: dict[str, Any] = {}
        for folder in self.folders:
            merged.update(self._folder(folder / kind, name))
        return merged

    def _folder(self, folder: Path, name: str) -> dict[str, Any]:
        key = (str(folder), name)
        if key not in self.cache:
            self.cache[key] = read_folder(folder, name, self.problems)
        return self.cache[key]


def _check_routes(everyone: dict[str, Host], problems: Problems) -> None:
    """Every `via` names a host, and following them comes to an end. Each host file entry is reported once."""
    routes = {host.base: host for host in everyone.values()}
    for host in routes.values():
        if host.via is None:
            continue
        where = position_of(host.via, host.where)
        if host.via not in routes:
            hint = suggestion(host.via, routes) or f"known hosts: {', '.join(routes)}"
            problems.append(diagnostic(f'{host.base}: via an unknown host "{host.via}"', where, hint=hint))
            continue
        seen = [host.base]
        current = host
        while current.via is not None and current.via in routes:
            seen.append(current.via)
            current = routes[current.via]
            if current.base in seen[:-1]:
                problems.append(diagnostic(f"{host.base} is reached via itself", where, detail=" → ".join(seen)))
                break
