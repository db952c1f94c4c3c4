"""What an inventory says once it is read: hosts, accounts, and their variables by layer. Frozen, nothing rendered."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from scupi_provision.errors import Position


@dataclass(frozen=True)
class InventoryVariables:
    """A host's variables, weakest layer first; values are as written, with templates not yet rendered.

    Attributes:
        all: `all: vars:` and `group_vars/all`.
        groups: The other groups', merged in Ansible's order (parents before children, then by name).
        host: The host's own, its account's, and `host_vars/`.
    """

    all: dict[str, Any] = field(default_factory=dict)
    groups: dict[str, Any] = field(default_factory=dict)
    host: dict[str, Any] = field(default_factory=dict)

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
    """

    name: str
    base: str
    where: Position
    account: str | None = None
    label: str = ""
    groups: tuple[str, ...] = ()
    variables: InventoryVariables = InventoryVariables()
    via: str | None = None
