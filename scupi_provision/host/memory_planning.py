"""Planning on a host in memory, with reading as the planner does it: what tests of modules are written with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from scupi_provision.host.memory import MemoryHost, Performed
from scupi_provision.host.record import StepRecord
from scupi_provision.host.snapshot import Needs, NeedsReadingError, Snapshot
from scupi_provision.host.view import HostView

T = TypeVar("T")
_MOST_PASSES = 20


@dataclass(frozen=True)
class Planned(Generic[T]):
    """One step planned on a host in memory.

    Attributes:
        result: What the plan function gave.
        record: The step's actions, diffs and reads.
        exchanges: How often the host was read for it, the first time for its facts as well.
    """

    result: T
    record: StepRecord
    exchanges: int


def plan_on(memory: MemoryHost, plan: Callable[[HostView], T], *, diffs: bool = False) -> Planned[T]:
    """Plan one step, reading what it asks for until it asks for nothing more; the host is not changed."""
    snapshot = Snapshot()
    needs = Needs(facts=True)
    before = memory.exchanges
    for _ in range(_MOST_PASSES):
        host = HostView(snapshot, keep_contents=diffs)
        host.begin("the task")
        try:
            result = plan(host)
            return Planned(result, host.commit(), memory.exchanges - before)
        except NeedsReadingError as missing:
            needs.add(missing.needs)
            memory.read(needs, snapshot)
            needs = Needs()
    raise AssertionError("the plan asks in circles")


def apply_on(memory: MemoryHost, plan: Callable[[HostView], T]) -> tuple[Planned[T], Performed]:
    """Plan one step and perform it."""
    planned = plan_on(memory, plan)
    return planned, memory.perform(planned.record.actions)
