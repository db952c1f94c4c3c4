"""`provision rollback`: make an earlier generation current again, by the one rename that made the later one current."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator

from scupi_provision.errors import ProvisionError, StepFailedError
from scupi_provision.events import (
    Event,
    HostSummary,
    Outcome,
    PlayStarted,
    RunFinished,
    RunStarted,
    TaskFinished,
    TaskLabel,
)
from scupi_provision.host import generation
from scupi_provision.host.view import HostView
from scupi_provision.inventory.inventory import Inventory
from scupi_provision.inventory.load import load_inventory
from scupi_provision.inventory.models import Host
from scupi_provision.run.fleet import Fleet
from scupi_provision.run.guard_ways import login_guard
from scupi_provision.run.request import RunRequest


def rollback(request: RunRequest, to: int | None = None) -> Iterator[Event]:
    """Switch each account's home to generation `to`, or to the one before the current one; yields what happens.

    Raises:
        InputError: The inventory is not valid, or names nobody.
    """
    inventory = load_inventory(request.inventory, also=request.more_inventories)
    inventory.require_accounts()
    started = time.monotonic()
    hosts = _one_per_account(inventory, request.limit)
    fleet = Fleet(inventory, request, "rollback")
    try:
        yield RunStarted("rollback", str(request.inventory), tuple(host.label for host in hosts), request.stand_ins)
        yield from fleet.open(hosts)
        yield PlayStarted("rollback", tuple(host.label for host in hosts))
        stands = True
        for host in hosts:
            if host.name not in fleet.errors:
                stands &= yield from _roll_back(fleet, host, to)
        codes = [int(not stands), *(error.exit_code for error in fleet.errors.values())]
        yield RunFinished("rollback", max(codes), time.monotonic() - started)
    finally:
        fleet.close()


def _one_per_account(inventory: Inventory, limit: str | None) -> list[Host]:
    """A home is shared by an account's hosts, so the first of them will do."""
    first: dict[str | None, Host] = {}
    for host in inventory.select("all", limit):
        first.setdefault(host.account if host.account is not None else host.name, host)
    return list(first.values())


def _with_same_home(inventory: Inventory, host: Host) -> list[Host]:
    """The other hosts of the account, whose shells read the same files."""
    if host.account is None:
        return []
    return [other for other in inventory.select("all") if other.account == host.account]


def _roll_back(fleet: Fleet, host: Host, to: int | None) -> Generator[Event, None, bool]:
    """Whether the account can still be logged in to; yields what happens."""
    link = fleet.links[host.name]
    started = time.monotonic()
    try:
        view = HostView(link.snapshot)
        target = link.seeing(lambda: _target(view, to))
        view.begin("rollback")
        link.seeing(lambda: view.link(generation.CURRENT, f"gen/{target}"))
        record = view.commit()
        label = TaskLabel(f"make generation {target} current", "generation")
        outcome = Outcome.OK
        if record.actions:
            guard = login_guard(fleet, host, _with_same_home(fleet.inventory, host))
            stands = yield from link.perform_guarded(record.actions, guard)
            outcome = Outcome.CHANGED if stands else Outcome.FAILED
        if outcome is not Outcome.FAILED:
            yield TaskFinished(host.label, label, outcome, diffs=tuple(record.diffs))
        counts = {outcome: 1}
        yield HostSummary(host.label, counts, 0, 0, link.session.wire.round_trips, time.monotonic() - started)
    except ProvisionError as error:
        yield fleet.drop(host, error)
        return True
    return outcome is not Outcome.FAILED


def _target(view: HostView, to: int | None) -> int:
    now = generation.current(view).number
    known = generation.numbers(view)
    if to is None:
        earlier = [number for number in known if number < now]
        if not earlier:
            raise StepFailedError("there is no earlier generation on this host", detail=f"the current one is {now}")
        return earlier[-1]
    if to not in known:
        listed = ", ".join(map(str, known)) or "none"
        raise StepFailedError(f"there is no generation {to} on this host", hint=f"there are: {listed}")
    return to
