"""`provision facts`: what is known of a host before anything is planned. Changes nothing on any host."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from scupi_provision.events import Event
from scupi_provision.inventory.load import load_inventory
from scupi_provision.run.fleet import Fleet
from scupi_provision.run.request import RunRequest


@dataclass(frozen=True)
class HostFacts:
    """The facts of one host.

    Attributes:
        host: Its label.
        facts: `ansible_facts`: what playbooks see, by name, values as in JSON.
    """

    host: str
    facts: dict[str, Any]


def facts(request: RunRequest, pattern: str) -> Iterator[Event | HostFacts]:
    """Read every host that `pattern` (and the request's limit) selects; yields what happens and each host's facts.

    Raises:
        InputError: The inventory is not valid, names nobody, or has nothing of that name.
    """
    inventory = load_inventory(request.inventory, also=request.more_inventories)
    inventory.require_accounts()
    hosts = inventory.select(pattern, request.limit)
    fleet = Fleet(inventory, request, "facts")
    try:
        yield from fleet.open(hosts)
        for host in hosts:
            link = fleet.links.get(host.name)
            if link is not None and link.snapshot.facts is not None:
                yield HostFacts(host.label, link.snapshot.facts.variables())
    finally:
        fleet.close()
