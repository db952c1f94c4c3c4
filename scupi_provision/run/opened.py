"""One host opened for a command that is about that host, outside any play."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from scupi_provision.inventory.inventory import Inventory
from scupi_provision.inventory.models import Host
from scupi_provision.run.fleet import Fleet, Link
from scupi_provision.run.request import RunRequest


@contextmanager
def opened(inventory: Inventory, request: RunRequest, host: Host, verb: str) -> Iterator[Link]:
    """The open host, its facts read; it is let go of at the end.

    Args:
        inventory: Where `host` is from.
        request: How to log in.
        host: The host.
        verb: The command's name, for whoever is refused by a lock that it holds.

    Raises:
        ProvisionError: The host cannot be reached.
    """
    fleet = Fleet(inventory, request, verb)
    try:
        for _ in fleet.open([host]):  # what there is to tell of it is in `fleet`
            pass
        if host.name in fleet.errors:
            raise fleet.errors[host.name]
        yield fleet.links[host.name]
    finally:
        fleet.close()
