"""Accounts and hosts of an inventory, as people read them."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from scupi_provision.errors import Diagnostic, ProvisionError
from scupi_provision.inventory.enrolment import Enrolled, LoginTried, OwnKey, Removed, Standing
from scupi_provision.inventory.shown import AccountRow, GroupShown, HostShown, Login
from scupi_provision.report import style
from scupi_provision.report.errors import diagnostic_lines
from scupi_provision.report.visible import visible
from scupi_provision.report.wording import counted, listed

_STANDING_STYLES = {
    Standing.ADDED: style.GOOD,
    Standing.REPLACED: style.GOOD,
    Standing.THERE: style.QUIET,
    Standing.FAILED: style.BAD,
}


def print_enrolled(result: Enrolled, console: Console) -> None:
    """What became of one account."""
    who = f"{result.id} ({visible(result.name)})" if result.name else result.id
    if result.standing is Standing.THERE:
        _say(console, Text(f"{who} is in the inventory already, with this key; nothing was changed"))
        return
    words = {Standing.ADDED: "added", Standing.REPLACED: "took the new key for"}
    _say(console, Text(f"{words.get(result.standing, 'looked at')} {who}", style=style.GOOD))
    fingerprint = f"   {result.fingerprint}" if result.fingerprint else ""
    _say(console, Text(f"  key      {result.key}{fingerprint}"))
    for repair in result.repairs:
        _say(console, Text(f"           in this copy: {repair}", style=style.QUIET))
    if result.hosts:
        _say(console, Text(f"  login    works on {listed(result.hosts)}"))
    else:
        _say(console, Text("  login    not tried", style=style.QUIET))
    for warning in result.warnings:
        _say(console, Text(f"  note     {visible(warning)}", style=style.WARNING))


def print_tried(told: LoginTried, console: Console) -> None:
    """One line for each of many, while the others still try."""
    line = f"{told.number} of {told.count}: {visible(told.id)} "
    _say(console, Text(line + (visible(told.problem) or "logs in"), style=style.BAD if told.problem else style.QUIET))


def print_table(results: Sequence[Enrolled], console: Console) -> None:
    """What became of many accounts; those that were not added with the reason, and at the end their numbers."""
    table = _table("id", "name", "", "login", "key")
    for result in results:
        standing = Text(result.standing.value, style=_STANDING_STYLES[result.standing])
        key = str(result.key) if result.key else ""
        table.add_row(result.id, visible(result.name), standing, listed(result.hosts), key)
    console.print(table)
    failed: dict[Diagnostic, list[str]] = {}
    for result in results:
        if result.error:
            failed.setdefault(result.error, []).append(result.id)
    for error, identifiers in failed.items():
        heading = Text(listed(identifiers), style=style.HEADING)
        _say(console, Text(), heading, *diagnostic_lines(error, console.width))
    counts = {standing: sum(result.standing is standing for result in results) for standing in Standing}
    told = ", ".join(f"{count} {standing.value}" for standing, count in counts.items() if count)
    _say(console, Text(f"{counted(len(results), 'account')}: {told}", style=style.BAD if failed else style.GOOD))


def print_own_key(account: str, done: OwnKey | ProvisionError, console: Console) -> None:
    """Whether an account logs in with its own key now."""
    if isinstance(done, OwnKey):
        _say(console, Text(f"{account} {done}", style=style.GOOD))
        return
    _say(console, Text(f"{account} has no key of its own yet; the one that it has is used", style=style.WARNING))
    _say(console, *diagnostic_lines(done.diagnostic, console.width))


def print_next_steps(host: str, account: str, inventory: str, console: Console) -> None:
    """The three lines that a student needs.

    Args:
        host: Where the way ends; "" when there is no host.
        account: The id where it has to be said, because there are several.
        inventory: The inventory's file where it has to be said.
        console: Where they go.
    """
    where = f" -i {shlex.quote(inventory)}" if inventory else ""
    steps = {
        f"provision ssh {host or 'HOST'}{f' -a {account}' if account else ''}{where}": "log in",
        f"provision apply site.yaml{f' --limit {account}' if account else ''}{where}": "install everything, prove it",
        f"provision ssh-config --write{where}": "for VS Code, scp and plain ssh",
    }
    width = max(map(len, steps))
    _say(console, Text("\nnext:"))
    for command, why in steps.items():
        _say(console, Text.assemble(f"  {command.ljust(width)}", (f"   # {why}", style.QUIET)))


def print_removed(removed: Removed, console: Console) -> None:
    """What is gone and what is still there."""
    _say(console, Text(f"removed {removed.id} from the inventory; on the hosts nothing was changed", style=style.GOOD))
    for path in removed.deleted:
        _say(console, Text(f"  deleted  {path}"))
    for path in removed.kept:
        _say(console, Text(f"  kept     {path}"))


def print_accounts(rows: Sequence[AccountRow], console: Console) -> None:
    """A table of the accounts, and below it what to do about keys that cannot be used."""
    if not rows:
        _say(console, Text("there are no accounts; add one with: provision inventory add ID --key FILE"))
        return
    table = _table("id", "name", "groups", "hosts", "key", "state")
    for row in rows:
        good = row.key_state in {"ok", "passphrase"}
        state = {"ok": "ok", "passphrase": "needs its passphrase"}.get(row.key_state, "cannot be used")
        state += {"": "", "yes": ", own key", "wanted": ", own key wanted"}[row.own_key]
        told = Text(state, style=style.GOOD if good else style.BAD)
        names = (visible(", ".join(words)) for words in (row.groups, row.hosts))
        table.add_row(visible(row.id), visible(row.name), *names, visible(row.key), told)
    console.print(table)
    for row in rows:
        if row.key_state not in {"ok", "passphrase"}:
            _say(console, Text(f"{row.id}: {visible(row.key_state)}", style=style.BAD))
            _say(console, *(Text(f"  hint: {line}", style=style.HINT) for line in row.key_hint.splitlines()))


def print_host(host: HostShown, console: Console) -> None:
    """One host: the way to it, and its variables, the weakest layer first."""
    _say(console, Text(visible(host.name), style=style.HEADING), Text(f"  declared in {host.where}", style=style.QUIET))
    _say(console, Text(f"  groups   {', '.join(map(visible, host.groups)) or 'none'}"))
    for number, hop in enumerate(host.way):
        _say(console, Text(f"  {'way' if number == 0 else '':<8} {_login(hop)}"))
    for layer, variables in host.layers.items():
        for number, (name, value) in enumerate(sorted(variables.items())):
            title = {"all": "of all", "groups": "of groups", "host": "its own"}[layer] if number == 0 else ""
            _say(console, Text.assemble((f"  {title:<10}", style.QUIET), f"{visible(name)}: {visible(_value(value))}"))


def print_graph(top: GroupShown, console: Console) -> None:
    """The tree of groups, as `ansible-inventory --graph` draws it."""
    for line in _branch(top, 0):
        _say(console, line)


def _login(hop: Login) -> str:
    if hop.connection == "local":
        return f"{visible(hop.host)}: this machine"
    key = f", key {hop.key}" if hop.key else ", keys of the ssh-agent"
    return visible(f"{hop.host}: {hop.user}@{hop.address} port {hop.port}{key}")


def _branch(group: GroupShown, depth: int) -> Iterator[Text]:
    def stem(depth: int) -> tuple[str, str]:
        return ("  |" * (depth - 1) + "  |--" if depth else "", style.QUIET)

    yield Text.assemble(stem(depth), (f"@{visible(group.name)}:", style.HEADING))
    for child in group.children:
        yield from _branch(child, depth + 1)
    for host in group.hosts:
        yield Text.assemble(stem(depth + 1), visible(host))
    for account in group.accounts:
        yield Text.assemble(stem(depth + 1), f"account {visible(account)}")


def _value(value: Any) -> str:
    return value if isinstance(value, str) else repr(value)


def _table(*columns: str) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style=style.QUIET)
    for name in columns:
        table.add_column(name, overflow="fold")
    return table


def _say(console: Console, *lines: Text) -> None:
    for line in lines:
        console.print(line, soft_wrap=True)
