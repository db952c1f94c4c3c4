"""The inventory that the rest of the program sees: hosts to select, peers of an account, routes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from scupi_provision.errors import Diagnostic, InputError, Position
from scupi_provision.inventory.limits import read_limit
from scupi_provision.inventory.models import Account, Host, InventoryVariables
from scupi_provision.inventory.patterns import Matched, match_pattern
from scupi_provision.source import diagnostic, suggestion


@dataclass(frozen=True)
class Selection:
    """What a pattern selects.

    Attributes:
        hosts: In the order in which the pattern names them.
        unknown: What is to be said of each part of the pattern that nothing matches.
    """

    hosts: tuple[Host, ...]
    unknown: tuple[Diagnostic, ...] = ()


@dataclass(frozen=True)
class Inventory:
    """Hosts crossed with accounts.

    Attributes:
        path: The file it was read from.
        hosts: The hosts that patterns can select, in the order of the file, account by account.
        accounts: Everybody who may log in; empty when the file names nobody.
        members: For every group the names of its hosts, `all` first; with accounts, nodes and accounts are groups too.
        everyone: `hosts`, plus those an account only passes through on its way; by name.
        children: For every group of the file the groups right below it; those that no other has are below `all`.
        direct_hosts: For every group of the file the base names of the hosts right below it, `ungrouped` included.
        implicit: The computer that we run on, by each name that Ansible has for it; empty when the inventory has one.
    """

    path: Path
    hosts: tuple[Host, ...]
    accounts: tuple[Account, ...] = ()
    members: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    everyone: Mapping[str, Host] = field(default_factory=dict)
    children: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    direct_hosts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    implicit: Mapping[str, Host] = field(default_factory=dict)

    @property
    def groups(self) -> dict[str, list[str]]:
        """Ansible's `groups`: for each group the names of its hosts, for those too that have none."""
        return {name: list(hosts) for name, hosts in self.members.items()}

    def variables(self, host: Host) -> InventoryVariables:
        """The variables of `host` by layer."""
        return host.variables

    def variable_names(self) -> frozenset[str]:
        """Every variable that some host has."""
        hosts = (*self.hosts, *self.implicit.values())
        return frozenset(name for host in hosts for name in host.variables.merged())

    def select(self, pattern: str, limit: str | None = None) -> list[Host]:
        """The hosts that match `pattern` (and `limit`, when given), in the order in which `pattern` names them.

        Raises:
            InputError: A name in either is unknown; the error has a position when the pattern is a SourceText.
        """
        selected = self.matching(pattern, limit)
        if selected.unknown:
            raise InputError.of(list(selected.unknown))
        return list(selected.hosts)

    def matching(self, pattern: str, limit: str | None = None) -> Selection:
        """As `select`, but what nothing matches in `pattern` is told, not refused, as in Ansible.

        Raises:
            InputError: A name in `limit` is unknown, or one of the two cannot be understood.
        """
        matched = self._match(pattern)
        names = matched.names
        if limit is not None:
            allowed = self._match(read_limit(limit))
            if allowed.unknown:
                raise InputError.of(list(allowed.unknown))
            names = tuple(name for name in names if name in allowed.names)
        return Selection(tuple(self._named(name) for name in names), matched.unknown)

    def _match(self, pattern: str) -> Matched:
        return match_pattern(pattern, self.members, tuple(host.name for host in self.hosts), tuple(self.implicit))

    def _named(self, name: str) -> Host:
        return self.everyone.get(name) or self.implicit[name]

    def host(self, name: str, where: Position | None = None) -> Host:
        """The host called `name` (its full name; `localhost` always). Raises InputError when there is none."""
        if name in self.everyone or name in self.implicit:
            return self._named(name)
        hint = suggestion(name, self.everyone)
        raise InputError.of([diagnostic(f'no host is called "{name}"', where, hint=hint)])

    def peer(self, host: Host, base_name: str) -> Host:
        """The host `base_name` as the account of `host` sees it. Raises InputError when there is no such host."""
        for name in (full_name(base_name, host.account), str(base_name)):
            if name in self.everyone or name in self.implicit:
                return self._named(name)
        bases = {other.base for other in self.everyone.values()}
        where = base_name.position if hasattr(base_name, "position") else host.where
        hint = suggestion(base_name, bases) or f"known hosts: {', '.join(sorted(bases))}"
        raise InputError.of([diagnostic(f'unknown host "{base_name}"', where, hint=hint)])

    def route_hosts(self, host: Host) -> tuple[Host, ...]:
        """The logins on the way to `host`, in the order in which they are dialled; `host` comes last."""
        chain = [host]
        while (via := chain[0].via) is not None:
            hop = self.peer(chain[0], via)
            if hop in chain:
                way = " → ".join(other.base for other in (hop, *chain))
                raise InputError.of([diagnostic("the way to a host is a loop", host.where, detail=way)])
            chain.insert(0, hop)
        return tuple(chain)

    def require_accounts(self) -> None:
        """Raise InputError when no host says as whom to log in, and there is no account either."""
        if self.accounts or any(_logs_in(host) for host in self.hosts):
            return
        if not self.path.exists():  # host1,host2,
            hint = "say `-u NAME`, or `-c local` when it is this machine"
            raise InputError(f"nothing says as whom to log in to {str(self.path).rstrip(',')}", hint=hint)
        hint = "add yourself: provision inventory add ID --key FILE (the key that the cluster's web page gave you)"
        detail = "No host has an `ansible_user`, and there is no entry below `accounts:`."
        where = Position(str(self.path), 1, 1)
        raise InputError.of([diagnostic(f"{self.path} has no accounts", where, detail=detail, hint=hint)])


def full_name(base: str, account: str | None) -> str:
    """The inventory name of `base` as `account` sees it: `2021141520001@admin1`."""
    return str(base) if account is None else f"{account}@{base}"


def _logs_in(host: Host) -> bool:
    variables: dict[str, Any] = host.variables.merged()
    return bool(variables.get("ansible_user")) or variables.get("ansible_connection") == "local"
