"""Planning a play for hosts that are not there: nothing is dialled, questions are answered from elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from scupi_provision.errors import InternalError
from scupi_provision.host.snapshot import Needs, Snapshot
from scupi_provision.host.view import HostView
from scupi_provision.inventory.models import Host
from scupi_provision.modules.contract import Module
from scupi_provision.plan.course import Course
from scupi_provision.plan.models import Plan
from scupi_provision.plan.planner import Planning
from scupi_provision.plan.walk import Walk
from scupi_provision.playbook.models import Play
from scupi_provision.run.fleet import Fleet, Link
from scupi_provision.run.play import PlayOnHost
from scupi_provision.run.session import Session
from scupi_provision.run.site import Site
from scupi_provision.transport.base import Channel

Read = Callable[[Needs, Snapshot], None]
Wrap = Callable[[Mapping[str, Module]], dict[str, Module]]
_MOST_PASSES = 60


class _Nowhere:
    """The transport to a host that is not there."""

    way: Literal["jump", "nested", "slurm"] = "jump"
    explanation = ""

    @property
    def alive(self) -> bool:
        """Never."""
        return False

    def open_shell(self, _command: str) -> Channel:
        """There is none."""
        raise InternalError("a compiled play was about to open a connection")

    def close(self) -> None:
        """Nothing is open."""


@dataclass(frozen=True)
class Sight:
    """What is known of one host, and who answers what else is asked.

    Attributes:
        snapshot: Facts, and what has been answered.
        read: Adds answers to the snapshot.
        wrap: What becomes of the modules.
    """

    host: Host
    snapshot: Snapshot
    read: Read
    wrap: Wrap = dict


@dataclass(frozen=True)
class PlannedOffline:
    """A plan, and the host as it leaves it."""

    plan: Plan
    view: HostView


@dataclass(frozen=True)
class Stage:
    """A play and all of its hosts that something is known of.

    Attributes:
        sights: By the host's full name.
    """

    site: Site
    play: Play
    sights: Mapping[str, Sight]

    def planning(self, host: Host, *, verifies: bool, known: Mapping[str, Any]) -> Planning:
        """What is to be planned for `host`; `known` is what the play's tasks have registered."""
        fleet = Fleet(self.site.inventory, self.site.request, "compile")
        for name, sight in self.sights.items():
            fleet.links[name] = Link(sight.host, _Nowhere(), Session(_Nowhere(), run_id="", owner=""), sight.snapshot)
        planning = PlayOnHost(self.site, fleet, self.play, host, known=known).planning(verifies=verifies)
        return replace(planning, modules=self.sights[host.name].wrap(planning.modules), fetch_via="host")

    def apply(self, host: Host) -> PlannedOffline:
        """What the play's tasks would do to the host."""
        sight = self.sights[host.name]
        planning = self.planning(host, verifies=False, known={})
        return _passes(planning, sight, lambda: HostView(sight.snapshot, lock=planning.lock, fetch_via="host"))

    def verify(self, witness: Host, applied: PlannedOffline, wrap: Wrap) -> PlannedOffline:
        """The checks on `witness`, which sees the files as the play's tasks leave them."""
        sight = self.sights[witness.name]
        planning = self.planning(witness, verifies=True, known=applied.plan.variables)
        planning = replace(planning, modules=wrap(planning.modules))
        return _passes(planning, sight, lambda: applied.view.seen_by(sight.snapshot))


def _passes(planning: Planning, sight: Sight, look: Callable[[], HostView]) -> PlannedOffline:
    for _ in range(_MOST_PASSES):
        host = look()
        course = Course(planning.scope(), host, {}, planning.modules, stops=False, keeps_going=planning.keeps_going)
        found = Walk(course, planning.tags, switches=planning.switches).run(planning.items)
        if not found.needs:
            return PlannedOffline(found.plan, host)
        sight.read(found.needs, sight.snapshot)
    raise InternalError("planning does not come to an end", detail=f"more than {_MOST_PASSES} reads")
