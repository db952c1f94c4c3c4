"""One play on one host: what every verb needs of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from scupi_provision.host.lock import HostLock
from scupi_provision.inventory.models import Host
from scupi_provision.modules.registry import MODULES
from scupi_provision.plan.planner import Planning
from scupi_provision.plan.scope import PlayScope
from scupi_provision.playbook.models import Item, Play
from scupi_provision.run.company.seat import Seat
from scupi_provision.run.company.seating import alone
from scupi_provision.run.delegates import HostDelegates
from scupi_provision.run.fleet import Fleet
from scupi_provision.run.guard_ways import login_guard
from scupi_provision.run.host_run import HostRun
from scupi_provision.run.play_scope import scope_of
from scupi_provision.run.routes import fetch_via
from scupi_provision.run.site import Site


@dataclass(frozen=True)
class PlayOnHost:
    """A play of a site on one open host.

    Attributes:
        known: What earlier plays, or the play on the host that is proved, have registered and set.
        seat: The host's among the others of its batch; None when it is looked at alone.
    """

    site: Site
    fleet: Fleet
    play: Play
    host: Host
    check_mode: bool = False
    known: Mapping[str, Any] = field(default_factory=dict)
    seat: Seat | None = None

    def run(self) -> HostRun:
        """Drives the play's own tasks on the host."""
        return self._host_run(verifies=False)

    def verification(self) -> HostRun:
        """Drives the checks of the play's roles, and its `verify_tasks`, on the host."""
        return self._host_run(verifies=True)

    def _host_run(self, *, verifies: bool) -> HostRun:
        link = self.fleet.links[self.host.name]
        planning = self.planning(verifies=verifies)
        stock = self.fleet.stock
        guard = None if verifies else login_guard(self.fleet, self.host, self._witnesses(), self.play)
        driven = HostRun(
            self.host.label,
            link.session,
            planning,
            link.snapshot,
            verifies=verifies,
            stock=stock,
            guard=guard,
        )
        driven.delegates = self._delegates
        driven.seat = None if verifies else self._seat
        return driven

    def _witnesses(self) -> list[Host]:
        """The hosts that prove the play, of those that this run has reached."""
        reached = self.fleet.links.keys() - self.fleet.errors.keys()
        return [host for host in self.site.witnesses(self.play, self.host) if host.name in reached]

    def planning(self, *, verifies: bool) -> Planning:
        """What is to be planned on the host: the play's own tasks, or the checks of its roles and `verify_tasks`."""
        return Planning(
            self._checks() if verifies else self.play.tasks,
            self._scope,
            MODULES,
            self.site.request.tags,
            diffs=self.site.request.diff,
            check_mode=self.check_mode,
            verbosity=self.site.request.verbosity,
            switches=not verifies,
            keeps_going=verifies,
            fetch_via=fetch_via(self.host, self.play, self.site.request),
            lock=self._lock(),
            delegates=self._delegates,
        )

    def _checks(self) -> tuple[Item, ...]:
        return (*(item for role in _once(self.play) for item in role.verify), *self.play.verify_tasks)

    def _lock(self) -> HostLock | None:
        lock = self.site.lock
        return lock.hosts.get(self.host.base, HostLock()) if lock else None

    def _scope(self) -> PlayScope:
        return scope_of(self.site, self.fleet, self.play, self.host, self._seat, self.known, check_mode=self.check_mode)

    @cached_property
    def _delegates(self) -> HostDelegates:
        return HostDelegates(self.fleet, self.host, self.play, self.fleet.stock)

    @cached_property
    def _seat(self) -> Seat:
        return self.seat or alone(self.site, self.play, self.host)


def _once(play: Play) -> list[Any]:
    """The roles whose checks run: each once, however often the play uses it with the same parameters."""
    found: list[Any] = []
    for role in play.roles:
        if not any(other.directory == role.directory and other.parameters == role.parameters for other in found):
            found.append(role)
    return found
