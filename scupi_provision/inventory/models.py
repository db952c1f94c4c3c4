"""What an inventory says once it is read: hosts, accounts, and their variables by layer. Frozen, nothing rendered."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from scupi_provision.errors import Position
from scupi_provision.inventory.levels import Level, VariableLevel

_OF_ALL = frozenset({Level.ALL, Level.ALL_FILE, Level.ALL_PLAYBOOK_FILE})
_OF_GROUPS = frozenset({Level.GROUP, Level.GROUP_FILE, Level.GROUP_PLAYBOOK_FILE})


_ORDER = {level: number for number, level in enumerate(Level)}


@dataclass(frozen=True)
class InventoryVariables:
    """A host's variables, weakest layer first; values are as written, with templates not yet rendered.

    Attributes:
        all: `all: vars:` and `group_vars/all`.
        groups: The other groups', merged in Ansible's order (parents before children, then by name). What
            `group_vars/all` says is stronger than a group's text in the inventory, so it is
            here where both say something.
        host: The host's own, its account's, and `host_vars/`.
        levels: All of that apart, by precedence, each with its place.
    """

    all: dict[str, Any] = field(default_factory=dict)
    groups: dict[str, Any] = field(default_factory=dict)
    host: dict[str, Any] = field(default_factory=dict)
    levels: tuple[VariableLevel, ...] = ()

    @classmethod
    def of(cls, levels: Iterable[VariableLevel]) -> InventoryVariables:
        """The layers that `levels` make; a later level wins over those of its layer that come before it."""
        by_precedence = tuple(sorted(levels, key=lambda level: _ORDER[level.level]))
        of_all: dict[str, Any] = {}
        of_groups: dict[str, Any] = {}
        own: dict[str, Any] = {}
        for level in by_precedence:
            said = {str(name): value for name, value in level.variables.items()}
            if level.level in _OF_ALL:
                of_all.update(said)
                of_groups.update({name: value for name, value in said.items() if name in of_groups})
            else:
                (of_groups if level.level in _OF_GROUPS else own).update(said)
        return cls(of_all, of_groups, own, by_precedence)

    def merged(self) -> dict[str, Any]:
        """All layers in one mapping, the stronger ones winning."""
        return {**self.all, **self.groups, **self.host}


@dataclass(frozen=True)
class Access:
    """How an account wants to be logged in to.

    Attributes:
        own_key: Whether it shall have a key that was made on this computer, instead of one that was downloaded.
    """

    own_key: bool = False


@dataclass(frozen=True)
class Account:
    """One entry of `accounts:`: somebody's login on the cluster.

    Attributes:
        id: The login name exactly as written; leading zeros stay.
        key: Path of the private key on the controller; may begin with `~/` or hold a template.
        name: How people call the owner, or "".
        groups: Extra groups of this account's hosts.
        hosts: Base names of the hosts that it may use; None means every host.
        variables: Variables for this account's hosts only.
        access: How it wants to be logged in to.
    """

    id: str
    key: str
    where: Position
    name: str = ""
    groups: tuple[str, ...] = ()
    hosts: tuple[str, ...] | None = None
    variables: dict[str, Any] = field(default_factory=dict)
    access: Access = field(default_factory=Access)


@dataclass(frozen=True)
class Host:
    """One machine as one account sees it.

    Attributes:
        name: Unique in the inventory: `2021141520001@admin1`, or the base name when there are no accounts.
        base: The name in the inventory file, e.g. `admin1`.
        account: The id of the account, or None when the inventory has no accounts.
        label: What people are shown: the base name when there is at most one account, else `name`.
        groups: Every group it is in, parents included, `all` left out, sorted (Ansible's `group_names`).
        variables: Its variables by layer.
        via: Base name of the host through which it is reached, or None.
        where: Where it is declared.
        implicit: Whether no inventory names it: `localhost`, which is always there and never in `all`.
    """

    name: str
    base: str
    where: Position
    account: str | None = None
    label: str = ""
    groups: tuple[str, ...] = ()
    variables: InventoryVariables = InventoryVariables()
    via: str | None = None
    implicit: bool = False
