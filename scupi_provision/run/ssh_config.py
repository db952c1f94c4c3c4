"""The hosts of an inventory as OpenSSH's own client knows them: what VS Code and plain `ssh scupi-gpu2` read."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from scupi_provision.access.ssh_config import SshEntry, config_text
from scupi_provision.errors import InputError
from scupi_provision.inventory.inventory import Inventory
from scupi_provision.inventory.models import Host
from scupi_provision.run.choosing import choose_account
from scupi_provision.run.onward import split_route
from scupi_provision.run.request import RunRequest
from scupi_provision.run.routes import connection_of, route_to, setting
from scupi_provision.source import diagnostic
from scupi_provision.transport.base import Route
from scupi_provision.transport.host_keys import HostKeyJudge
from scupi_provision.transport.route import check_route

DEFAULT_PREFIX = "scupi"
_PREFIX = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
_NO_FORWARDING = "{0} forwards nothing to {1}: this logs in on {0} and goes on from there. Not for VS Code, scp or -L."
_SYSTEM_FILES = Path("/etc/ssh")  # ssh reads those there by itself (GlobalKnownHostsFile)


def ssh_config_text(inventory: Inventory, request: RunRequest, account: str | None) -> str:
    """Sections for ~/.ssh/config that reach every host of the inventory.

    Args:
        inventory: The hosts.
        request: How to log in.
        account: Only this account's hosts, without its id in the aliases; None for everybody's.

    Raises:
        InputError: No such account; or a name or path that ssh cannot be told.
    """
    return config_text(ssh_entries(inventory, request, account))


def entries_of_way(inventory: Inventory, request: RunRequest, host: Host) -> list[SshEntry]:
    """The sections that lead to `host`, in the order of the way; the last one is its own."""
    aliases = _Aliases(inventory, request, host.account)
    return [_entry(hop, inventory, request, aliases) for hop in inventory.route_hosts(host)]


def ssh_entries(inventory: Inventory, request: RunRequest, account: str | None) -> list[SshEntry]:
    """As `ssh_config_text`, as values; hosts that are this machine are left out."""
    if account is not None:
        choose_account(inventory, account)
    aliases = _Aliases(inventory, request, account)
    entries = [_entry(host, inventory, request, aliases) for host in aliases.hosts()]
    doubled = {entry.alias for entry in entries if [other.alias for other in entries].count(entry.alias) > 1}
    if doubled:
        hint = "give one of the hosts another name, or an `ssh_alias_prefix` of its own"
        raise InputError(f"two hosts would both be called {', '.join(sorted(doubled))} for ssh", hint=hint)
    return entries


class _Aliases:
    """How the hosts are called for ssh: `scupi-gpu2`; with several accounts `scupi-gpu2-<id>`."""

    def __init__(self, inventory: Inventory, request: RunRequest, account: str | None) -> None:
        self._inventory = inventory
        self._request = request
        self._account = account
        self._with_id = account is None and len(inventory.accounts) > 1

    def hosts(self) -> Iterator[Host]:
        """The hosts that have one."""
        for host in self._inventory.everyone.values():
            if self._account in {None, host.account} and connection_of(host, self._request) == "ssh":
                yield host

    def of(self, host: Host) -> str:
        """The alias of `host`."""
        prefix = str(setting(host, self._request, "ssh_alias_prefix", DEFAULT_PREFIX))
        if not _PREFIX.fullmatch(prefix):
            hint = 'letters, digits, "-", "." and "_" are; * and ? have a meaning there'
            raise InputError.of(
                [diagnostic(f"ssh_alias_prefix {prefix!a} is no beginning of a name for ssh", host.where, hint=hint)]
            )
        ending = f"-{host.account}" if self._with_id and host.account else ""
        return f"{prefix}-{host.base}{ending}"


def _entry(host: Host, inventory: Inventory, request: RunRequest, aliases: _Aliases) -> SshEntry:
    route = route_to(host, inventory, request)
    check_route(route)
    names = [aliases.of(other) for other in inventory.route_hosts(host)]
    ours, command = split_route(route, terminal=True)
    entry = _section_of(ours, names, request)
    if ours == route:
        return entry
    remark = _NO_FORWARDING.format(names[len(ours) - 1], names[-1])
    return replace(entry, alias=names[-1], remote_command=command, remark=remark)


def _section_of(route: Route, names: Sequence[str], request: RunRequest) -> SshEntry:
    hop, names = route[-1], names[: len(route)]
    pins = tuple(pin.key.text for pin in HostKeyJudge.for_hop(hop).pins if pin.key)
    files = dict.fromkeys([*hop.known_hosts, *filter(None, (hop.new_keys, request.new_keys if pins else None))])
    return SshEntry(
        alias=names[-1],
        address=hop.address,
        port=hop.port,
        user=hop.user,
        key_files=tuple(_written(path) for path in hop.key_files),
        known_hosts=tuple(_written(path) for path in files if not path.is_relative_to(_SYSTEM_FILES)),
        jump=names[-2] if len(names) > 1 else "",
        host_keys=pins,
    )


def _written(path: Path) -> str:
    """Whole, since ssh's `~` is the home in the user database and not $HOME; with `/` on Windows too."""
    return path.expanduser().absolute().as_posix()
