"""Planning with reading: passes are repeated until nothing more has to be read from the host."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from scupi_provision.errors import InternalError
from scupi_provision.host.lock import HostLock
from scupi_provision.host.snapshot import Needs, Snapshot
from scupi_provision.host.view import HostView
from scupi_provision.modules.contract import Module
from scupi_provision.plan.course import Course
from scupi_provision.plan.delegation import Delegates
from scupi_provision.plan.models import Done, Plan, StepKey
from scupi_provision.plan.scope import PlayScope
from scupi_provision.plan.tags import TagSelection
from scupi_provision.plan.walk import Walk
from scupi_provision.playbook.models import Item

Read = Callable[[Needs, Snapshot], None]
"""Brings what is needed into the snapshot; one exchange with the host."""

_MOST_READS = 60
"""Reads that depend on one another (link after link) end long before; more means that a module asks in circles."""


@dataclass(frozen=True)
class Planning:
    """What is to be planned and how.

    Attributes:
        scope: A fresh scope per pass.
        stops: Whether the plan ends where a program has to run first.
        diffs: Whether contents are read for diffs.
        verbosity: How many `-v` were given.
        switches: Whether the staged generation is made current at the end.
        keeps_going: Whether a failed task is followed by the next.
        fetch_via: Who downloads, as `shell.actions.Fetch` has it.
        lock: What the host shall get, exactly.
        delegates: The hosts that do tasks for this one.
    """

    items: Sequence[Item]
    scope: Callable[[], PlayScope]
    modules: Mapping[str, Module]
    tags: TagSelection = field(default_factory=TagSelection)
    stops: bool = False
    diffs: bool = False
    check_mode: bool = False
    verbosity: int = 0
    switches: bool = True
    keeps_going: bool = False
    fetch_via: str = "host"
    lock: HostLock | None = None
    delegates: Delegates = field(default_factory=Delegates)


def make_plan(planning: Planning, settled: Mapping[StepKey, Done], snapshot: Snapshot, read: Read) -> Plan:
    """The next steps, given what is settled; `snapshot` grows by what had to be read."""
    reads = 0
    while reads < _MOST_READS:
        host = HostView(
            snapshot,
            check_mode=planning.check_mode,
            keep_contents=planning.diffs,
            verbosity=planning.verbosity,
            fetch_via=planning.fetch_via,
            lock=planning.lock,
        )
        course = Course(
            planning.scope(),
            host,
            settled,
            planning.modules,
            stops=planning.stops,
            keeps_going=planning.keeps_going,
            delegates=planning.delegates,
        )
        found = Walk(course, planning.tags, switches=planning.switches).run(planning.items)
        if found.needs:
            reads += 1
            if found.needs.here:
                read(found.needs, snapshot)
            for name, needs in found.needs.elsewhere.items():
                planning.delegates.read(name, needs)
        elif planning.stops or course.company.wanted is None:
            return found.plan
    detail = f"more than {_MOST_READS} reads depend on one another"
    raise InternalError("planning does not come to an end", detail=detail)
