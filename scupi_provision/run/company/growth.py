"""The inventory of a run as it grows: what it was when the run began, and what tasks have added since."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from scupi_provision.errors import InputError
from scupi_provision.inventory.inventory import Inventory
from scupi_provision.modules.contract import Membership

Read = Callable[[Sequence[Membership]], Inventory]
"""Reads the inventory with what has been added to it."""


@dataclass
class Growth:
    """The one inventory that all hosts of a run share. May be used by several threads.

    Attributes:
        inventory: As it is where no play is under way.
    """

    inventory: Inventory
    read: Read
    _lasting: tuple[Membership, ...] = ()
    _made: dict[str, Inventory] = field(default_factory=dict)
    _guard: threading.Lock = field(default_factory=threading.Lock)

    def after(self, joining: Sequence[Membership]) -> Inventory:
        """The inventory with `joining` added.

        Raises:
            InputError: That cannot be: a group would be its own child, or has the name of a host.
        """
        if not joining:
            return self.inventory
        key = repr(joining)
        with self._guard:
            if key not in self._made:
                self._made[key] = self._grown((*self._lasting, *joining))
            return self._made[key]

    def keep(self, joining: Sequence[Membership]) -> None:
        """A play, or a batch of one, has ended: what its tasks have added stays."""
        if joining:
            self.inventory = self.after(joining)
            self._lasting, self._made = (*self._lasting, *joining), {}

    def changes(self, joined: Membership, before: Sequence[Membership]) -> bool:
        """Whether `joined` adds anything to the inventory as it is after `before`."""
        inventory = self.after(before)
        host = inventory.everyone.get(joined.host)
        if host is None:
            return True
        own = host.variables.host
        said = any(name not in own or own[name] != value for name, value in joined.variables.items())
        return said or not set(joined.groups) <= {*host.groups, "all", "ungrouped"}

    def _grown(self, joining: Sequence[Membership]) -> Inventory:
        if not self.inventory.accounts:
            return self.read(joining)
        inventory = self.read(())
        for membership in joining:
            inventory = _with_groups(inventory, membership)
        return inventory


def _with_groups(inventory: Inventory, joined: Membership) -> Inventory:
    """With accounts, a group is joined by the host of one account, not by the node."""
    host = inventory.everyone.get(joined.host)
    if host is None:
        why = "every host of an inventory with `accounts:` belongs to one of them"
        raise InputError(f'the host "{joined.host}" cannot be added', detail=why, hint="name the host in the inventory")
    new = tuple(dict.fromkeys((*joined.groups, *joined.parents)))
    grown = replace(host, groups=tuple(sorted({*host.groups, *new})))
    members = dict(inventory.members)
    for name in new:
        members[name] = tuple(dict.fromkeys((*members.get(name, ()), host.name)))
    return replace(
        inventory,
        hosts=tuple(grown if other.name == host.name else other for other in inventory.hosts),
        members=members,
        everyone={**inventory.everyone, host.name: grown},
    )
