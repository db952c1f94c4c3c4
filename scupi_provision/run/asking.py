"""What hosts say of themselves, asked without a play: nothing is changed, no lock is taken."""

from __future__ import annotations

from typing import Any

from scupi_provision.inventory.load import load_inventory
from scupi_provision.run.fleet import Fleet
from scupi_provision.run.request import RunRequest


def facts_on_the_way(request: RunRequest, pattern: str) -> list[dict[str, Any]]:
    """`ansible_facts` of every host on the way to the first one that matches `pattern`; that one's own come last.

    Raises:
        InputError: The inventory is not valid, or has no such host.
        UnreachableError: One of them could not be reached.
    """
    inventory = load_inventory(request.inventory, also=request.more_inventories)
    inventory.require_accounts()
    hosts = inventory.route_hosts(inventory.select(pattern, request.limit)[0])
    fleet = Fleet(inventory, request, "facts")
    try:
        for _ in fleet.open(hosts):
            pass  # events of connecting are for people who watch a run
        for error in fleet.errors.values():
            raise error
        snapshots = [fleet.links[host.name].snapshot for host in hosts]
        return [snapshot.facts.variables() for snapshot in snapshots if snapshot.facts]
    finally:
        fleet.close()
