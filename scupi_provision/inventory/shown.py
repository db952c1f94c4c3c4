"""What people are shown of an inventory."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class AccountRow:
    """One account, at a glance.

    Attributes:
        hosts: Base names of the hosts that it may use.
        key: The private key's path as it is used.
        key_state: "ok", "passphrase", or what is wrong with the key.
        key_hint: What to do about it, or "".
        own_key: "" when it does not ask for one; else "yes" or "wanted".
    """

    id: str
    name: str
    groups: tuple[str, ...]
    hosts: tuple[str, ...]
    key: str
    key_state: str
    key_hint: str = ""
    own_key: str = ""


@dataclass(frozen=True)
class Login:
    """One hop of a way, as it is dialled."""

    host: str
    address: str
    port: int
    user: str
    key: str
    connection: str = "ssh"


@dataclass(frozen=True)
class HostShown:
    """A host as one account sees it.

    Attributes:
        layers: Variables as written, the weakest layer first: all, groups, host.
        way: The logins, in the order in which they are dialled; this host's own comes last.
    """

    name: str
    groups: tuple[str, ...]
    where: str
    way: tuple[Login, ...]
    layers: dict[str, dict[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class GroupShown:
    """A group with what is right below it. `accounts` are those that name the group as theirs."""

    name: str
    children: tuple[GroupShown, ...] = ()
    hosts: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()
