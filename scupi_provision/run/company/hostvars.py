"""`hostvars`: what each host of the inventory has of variables, live where tasks of this play set them."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from scupi_provision.inventory.inventory import Inventory
from scupi_provision.inventory.models import Host
from scupi_provision.plan.learnt import Learnt
from scupi_provision.plan.scope import fact_variables
from scupi_provision.playbook.templating import Templar
from scupi_provision.run.company.seat import Neighbours

Before = Callable[[Host], Mapping[str, Any]]
"""What is known of a host beside the inventory: facts, and what earlier plays have set."""


class HostVariables(Mapping[str, Mapping[str, Any]]):
    """Every host's inventory variables, facts and what tasks have set, rendered with that host's own variables.

    A host is found by its full name, and by its base name as the account of `seen_from` has it.
    """

    def __init__(
        self, inventory: Callable[[], Inventory], seen_from: Host, before: Before, company: Neighbours
    ) -> None:
        self._inventory = inventory
        self._from = seen_from
        self._before = before
        self._company = company

    def __getitem__(self, name: str) -> Mapping[str, Any]:
        host = self._find(name)
        if host is None:
            raise KeyError(name)
        known = {
            **host.variables.merged(),
            **self._before(host),
            "inventory_hostname": host.name,
            "inventory_hostname_short": host.base.split(".")[0],
            "group_names": list(host.groups),
        }
        live = _Live(self._company, host.name)
        return Templar(ChainMap(live, known)).variables  # type: ignore[arg-type]

    def _find(self, name: str) -> Host | None:
        inventory = self._inventory()
        if name in inventory.everyone or name in inventory.implicit:
            return inventory.host(name)
        same = (h for h in inventory.everyone.values() if h.base == name and h.account == self._from.account)
        return next(same, None)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self._find(name) is not None

    def __iter__(self) -> Iterator[str]:
        return iter(self._inventory().everyone)

    def __len__(self) -> int:
        return len(self._inventory().everyone)


class _Live(Mapping[str, Any]):
    """What the tasks of this play have set on a host, asked for only where they may have."""

    def __init__(self, company: Neighbours, name: str) -> None:
        self._company = company
        self._name = name

    def __getitem__(self, variable: str) -> Any:
        if not self._company.may_change(self._name, variable):
            raise KeyError(variable)
        return self._company.variables(self._name)[variable]

    def __contains__(self, variable: object) -> bool:
        may = isinstance(variable, str) and self._company.may_change(self._name, variable)
        return may and variable in self._company.variables(self._name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._company.variables(self._name) if self._company.knows(self._name) else ())

    def __len__(self) -> int:
        return len(self._company.variables(self._name) if self._company.knows(self._name) else ())


def known_facts(facts: Mapping[str, Any], remembered: Learnt | None) -> dict[str, Any]:
    """Facts as variables, and above them what earlier plays of the run have gathered, read, registered or set."""
    before = Learnt.of(remembered or {})
    return {**fact_variables({**facts, **before.gathered}), **before.included, **before}
