"""`provision check`: what apply would do, exactly, with nothing written anywhere."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from dataclasses import replace
from typing import Any

from scupi_provision.errors import ProvisionError
from scupi_provision.events import Event, PlayStarted, TaskFinished
from scupi_provision.inventory.models import Host
from scupi_provision.plan.models import Plan, Step, StepKey
from scupi_provision.run.addressed import missed
from scupi_provision.run.batch import Batch, batches_of
from scupi_provision.run.host_run import HostRun
from scupi_provision.run.own_key import own_keys_to_be
from scupi_provision.run.play import PlayOnHost
from scupi_provision.run.prompts import ask
from scupi_provision.run.running import Running
from scupi_provision.run.settling import shown_error
from scupi_provision.run.site import Site
from scupi_provision.run.together import together

Plans = dict[tuple[int, str], Plan]
"""The plan of each play (by its index) on each host (by its name)."""


def check(site: Site, plans: Plans | None = None) -> Iterator[Event]:
    """Yield what would happen; the last event is RunFinished with the exit code.

    Args:
        site: What to plan.
        plans: Filled with what was planned, to be saved.
    """
    with Running(site, "check") as run:
        yield run.started()
        yield from own_keys_to_be(site.inventory, site.request)
        for index, play in enumerate(site.playbook.plays):
            yield from missed(play, run.site.addressed(play))
            yield from ask(run, play)
            for batch in batches_of(run, play):
                yield from run.tally.watch(_check_batch(batch, index, plans))
            if run.is_over:
                break
        yield from run.finish()


def _check_batch(batch: Batch, index: int, plans: Plans | None) -> Iterator[Event]:
    # The facts of the hosts that verify take part in planning (torch is chosen by the GPU node's driver).
    yield from batch.open()
    hosts = batch.present
    left: dict[str, Mapping[str, Any]] = {}
    if hosts:
        yield PlayStarted(batch.play.name, tuple(host.label for host in hosts))
        yield from together([_check_host(batch, host, left, index, plans) for host in hosts])
    batch.close(left)


def _check_host(
    batch: Batch, host: Host, left: dict[str, Mapping[str, Any]], index: int, plans: Plans | None
) -> Iterator[Event]:
    run, seat = batch.run, batch.seats[host.name]
    try:
        driven = PlayOnHost(run.site, run.fleet, batch.play, host, check_mode=True, known=batch.known(host), seat=seat)
        plan = yield from _planned(driven.run(), host)
        seat.done(failed=plan.failed)
    except ProvisionError as error:
        yield batch.leave(host, error)
        return
    finally:
        seat.done(failed=True)
    if plan.failed:
        run.failed.add(host.name)
    left[host.name] = plan.variables
    if plans is not None:
        plans[index, host.name] = plan


def _planned(driven: HostRun, host: Host) -> Generator[Event, None, Plan]:
    """Tell what would be done; what says `check_mode: false` is done here as well, as soon as its turn comes."""
    told: set[StepKey] = set()
    while True:
        plan = driven.plan(stops=False)
        real = None if plan.complete else next((step for step in plan.steps[-1:] if step.is_real), None)
        for step in plan.steps:
            if step is not real and step.key not in told:
                told.add(step.key)
                yield _foretold(step, host)
        if real is None:
            return plan
        yield from driven.do(replace(plan, steps=(real,)))


def _foretold(step: Step, host: Host) -> TaskFinished:
    message = "" if step.hidden else step.message
    error = shown_error(step, step.message) if step.error else None
    return TaskFinished(host.label, step.label, step.outcome, message, step.diffs, error=error)
