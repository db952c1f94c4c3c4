"""What an inventory says, for people who look at it: its accounts, one host with its layers, the tree of its groups."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from scupi_provision.access.kept_keys import own_key_path
from scupi_provision.access.keys import check_private_key
from scupi_provision.errors import InputError
from scupi_provision.inventory.inventory import Inventory
from scupi_provision.inventory.models import Account, Host
from scupi_provision.inventory.shown import AccountRow, GroupShown, HostShown, Login
from scupi_provision.run.choosing import choose_host
from scupi_provision.run.request import RunRequest
from scupi_provision.run.routes import connection_of, setting
from scupi_provision.source import suggestion
from scupi_provision.values import plain_value

_KEY = "ansible_ssh_private_key_file"


def account_rows(inventory: Inventory, request: RunRequest) -> list[AccountRow]:
    """Every account, in the order of the file. Nobody is connected to."""
    by_account: dict[str | None, list[Host]] = {}
    for host in inventory.hosts:
        by_account.setdefault(host.account, []).append(host)
    return [_row(account, by_account.get(account.id, []), request) for account in inventory.accounts]


def _row(account: Account, hosts: Sequence[Host], request: RunRequest) -> AccountRow:
    key = str(setting(hosts[0], request, _KEY, account.key)) if hosts else str(account.key)
    state, hint = key_state(key)
    own = ""
    if account.access.own_key:
        own = "yes" if Path(key).expanduser() == own_key_path(account.id) else "wanted"
    groups = tuple(map(str, account.groups))
    return AccountRow(account.id, str(account.name), groups, tuple(h.base for h in hosts), key, state, hint, own)


def key_state(key: str) -> tuple[str, str]:
    """What is to be said of a key file, and what to do about it: "ok", "passphrase", or what is wrong."""
    try:
        found = check_private_key(key)
    except InputError as error:
        return error.diagnostic.summary, error.diagnostic.hint
    return ("passphrase" if found.needs_passphrase else "ok"), ""


def shown(inventory: Inventory, request: RunRequest, name: str, account: str | None) -> list[HostShown]:
    """The host `name`, or every host of the account `name`. Nobody is connected to.

    Raises:
        InputError: There is neither a host nor an account of this name, or nothing says whose host is meant.
    """
    if name in {one.id for one in inventory.accounts}:
        hosts = [host for host in inventory.hosts if host.account == name]
    else:
        known = {*inventory.everyone, *(host.base for host in inventory.everyone.values())}
        if name not in known:
            everything = [*known, *(one.id for one in inventory.accounts)]
            hint = suggestion(name, everything) or "see `provision inventory list` and `provision inventory graph`"
            raise InputError(f'the inventory has neither a host nor an account "{name}"', hint=hint)
        hosts = [choose_host(inventory, name, account)]
    return [_shown(inventory, request, host) for host in hosts]


def _shown(inventory: Inventory, request: RunRequest, host: Host) -> HostShown:
    layers = {"all": host.variables.all, "groups": host.variables.groups, "host": host.variables.host}
    way = tuple(_login(hop, request) for hop in inventory.route_hosts(host))
    written = {layer: plain_value(variables) for layer, variables in layers.items()}
    return HostShown(host.name, tuple(map(str, host.groups)), str(host.where), way, written)


def _login(hop: Host, request: RunRequest) -> Login:
    key = setting(hop, request, _KEY, "")
    return Login(
        host=hop.base,
        address=str(setting(hop, request, "ansible_host", hop.base)),
        port=int(setting(hop, request, "ansible_port", 22)),
        user=str(setting(hop, request, "ansible_user", "")),
        key=", ".join(map(str, key)) if isinstance(key, list) else str(key or ""),
        connection=connection_of(hop, request),
    )


def graph(inventory: Inventory) -> GroupShown:
    """The tree of groups from `all` down, as the file has it: hosts by their base names."""
    of_accounts: dict[str, list[str]] = {}
    for account in inventory.accounts:
        for name in account.groups:
            of_accounts.setdefault(str(name), []).append(account.id)
    below = {name for children in inventory.children.values() for name in children}
    orphans = [name for name in of_accounts if name not in inventory.children and name not in below]

    def branch(name: str) -> GroupShown:
        children = [*inventory.children.get(name, ()), *(orphans if name == "all" else [])]
        accounts = tuple(of_accounts.get(name, ()))
        return GroupShown(name, tuple(map(branch, children)), inventory.direct_hosts.get(name, ()), accounts)

    return branch("all")
