"""Inventories, as Ansible reads them, plus `accounts:`, to one Inventory. All errors are reported together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from scupi_provision.errors import InputError
from scupi_provision.inventory.accounts import position_of, read_accounts
from scupi_provision.inventory.crossing import LOCALHOST, Crossing, check_priorities
from scupi_provision.inventory.folders import VariableFolders
from scupi_provision.inventory.inventory import Inventory
from scupi_provision.inventory.joining import join
from scupi_provision.inventory.lineage import Lineage
from scupi_provision.inventory.models import Account, Host
from scupi_provision.inventory.sources import files_of, is_list_of_hosts, read_inventory_text, read_list_of_hosts
from scupi_provision.inventory.tree import ALL, Tree, settle
from scupi_provision.inventory.variables import Problems
from scupi_provision.modules.contract import Membership
from scupi_provision.source import Node, diagnostic, suggestion


def load_inventory(
    path: Path,
    playbook_dir: Path | None = None,
    *,
    text: str | None = None,
    also: Sequence[Path] = (),
    joining: Sequence[Membership] = (),
) -> Inventory:
    """Read the inventory `path`.

    Args:
        path: A file in YAML, INI or JSON, a folder of them, or `host1,host2,`.
        playbook_dir: Where a second pair of `group_vars/` and `host_vars/` may stand.
        text: What to read instead of the file's content: how it would be after an edit.
        also: More inventories; what they say wins over those before them.
        joining: What tasks have added since.

    Raises:
        InputError: Everything that is wrong with it.
    """
    tree, problems = Tree(), Problems()
    sources = (path, *also)
    account_nodes = [node for source in sources for node in _read_source(source, text, tree, problems)]
    join(tree, joining)
    settle(tree, problems)
    lineage = Lineage(tree)
    check_priorities(lineage, problems)
    accounts = read_accounts(account_nodes, tree.hosts, problems)
    beside = tuple(dict.fromkeys(_folder(source) for source in sources if not is_list_of_hosts(source)))
    crossing = Crossing(lineage, VariableFolders(problems), beside, _other(playbook_dir, beside))
    everyone = {host.name: host for account in accounts or (None,) for host in crossing.hosts(account, len(accounts))}
    implicit = {name: crossing.localhost(name) for name in LOCALHOST if not tree.hosts.keys() & {*LOCALHOST}}
    if not problems:
        _check_routes(everyone, problems)
    if problems:
        raise InputError.of(problems)
    hosts = tuple(host for host in everyone.values() if _may_use(host, accounts))
    members = _members(hosts, lineage, accounts)
    return Inventory(path, hosts, accounts, members, everyone, *lineage.shape(), implicit)


def _read_source(source: Path, text: str | None, tree: Tree, problems: Problems) -> list[Node]:
    """Read one of the inventories into `tree`; the values of its `accounts:`."""
    if is_list_of_hosts(source):
        read_list_of_hosts(source, tree, problems)
        return []
    found: list[Node] = []
    for file in files_of(source):
        try:
            content = _text_of(file) if text is None or file != source else text
            found += read_inventory_text(file, content, tree, problems)
        except InputError as error:  # noqa: PERF203 - what is wrong with every file is collected
            problems.extend(error.diagnostics)
    return found


def _text_of(path: Path) -> str:
    if not path.exists():
        hint = "name one with `--inventory FILE`, or make one with `provision init DIR`"
        raise InputError(f"there is no inventory file {path}", hint=hint)
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot read the inventory file {path}", detail=str(error)) from error


def _folder(source: Path) -> Path:
    return source if source.is_dir() else source.parent


def _other(playbook_dir: Path | None, beside: Iterable[Path]) -> Path | None:
    """The playbook's folder, unless it is the only one that is read anyway."""
    if playbook_dir is None or {folder.resolve() for folder in beside} == {playbook_dir.resolve()}:
        return None
    return playbook_dir


def _may_use(host: Host, accounts: Iterable[Account]) -> bool:
    account = next((account for account in accounts if account.id == host.account), None)
    return account is None or account.hosts is None or host.base in account.hosts


def _members(hosts: Iterable[Host], lineage: Lineage, accounts: Iterable[Account]) -> dict[str, tuple[str, ...]]:
    """For every group its hosts, in Ansible's order, account by account; nodes and accounts are groups as well."""
    by_account: dict[str | None, dict[str, Host]] = {}
    for host in hosts:
        by_account.setdefault(host.account, {})[host.base] = host
    members: dict[str, dict[str, None]] = {name: {} for name in lineage.tree.groups}
    members |= {str(name): {} for account in accounts for name in account.groups}
    for name in lineage.tree.groups:
        order = lineage.hosts_of(name)
        for own in by_account.values():
            members[name].update(
                {own[base].name: None for base in order if base in own and (name == ALL or name in own[base].groups)}
            )
    for host in hosts:
        for name in host.groups:
            members.setdefault(name, {}).setdefault(host.name)
    return {name: tuple(names) for name, names in members.items()}


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
