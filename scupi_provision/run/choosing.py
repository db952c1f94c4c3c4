"""Which of the inventory's hosts a command means that is about one host of one account."""

from __future__ import annotations

from scupi_provision.errors import InputError
from scupi_provision.inventory.inventory import Inventory
from scupi_provision.inventory.models import Host
from scupi_provision.source import suggestion


def choose_account(inventory: Inventory, account: str | None) -> str | None:
    """The id of the account that is meant: the one named, else the only one; None when the inventory has none.

    Raises:
        InputError: There is no such account, or there are several and none was named.
    """
    known = [entry.id for entry in inventory.accounts]
    if account is not None and account not in known:
        hint = suggestion(account, known) or f"accounts: {', '.join(known) or 'none'}"
        raise InputError(f'the inventory has no account "{account}"', hint=hint)
    if account is None and len(known) > 1:
        raise InputError(f"the inventory has {len(known)} accounts", hint=f"say which: --account {known[0]}")
    return account or next(iter(known), None)


def choose_host(inventory: Inventory, name: str, account: str | None) -> Host:
    """The host called `name` (`gpu2`, or in full `2021141520001@gpu2`) as the account sees it.

    Raises:
        InputError: There is no such host or account, or nothing says which account is meant.
    """
    if name in inventory.everyone:
        return inventory.everyone[name]
    bases = {host.base for host in inventory.everyone.values()}
    if name not in bases:
        hint = suggestion(name, bases) or f"hosts: {', '.join(sorted(bases))}"
        raise InputError(f'the inventory has no host "{name}"', hint=hint)
    mine = choose_account(inventory, account)
    for host in inventory.everyone.values():
        if host.base == name and host.account == mine:
            return host
    raise InputError(f"account {mine} has no host {name}", hint="its `hosts:` in the inventory says which it has")
