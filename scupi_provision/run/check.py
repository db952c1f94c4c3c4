"""`provision check`: what apply would do, exactly, with nothing written anywhere."""

from __future__ import annotations

from collections.abc import Iterator

from scupi_provision.errors import ProvisionError
from scupi_provision.events import Event, PlayStarted, TaskFinished
from scupi_provision.inventory.models import Host
from scupi_provision.plan.models import Plan
from scupi_provision.playbook.models import Play
from scupi_provision.run.own_key import own_keys_to_be
from scupi_provision.run.play import PlayOnHost
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
            yield from run.tally.watch(_check_play(run, play, index, plans))
        yield from run.finish()


def _check_play(run: Running, play: Play, index: int, plans: Plans | None) -> Iterator[Event]:
    hosts = run.site.targets(play)
    # The facts of the hosts that verify take part in planning (torch is chosen by the GPU node's driver).
    witnesses = [witness for host in hosts for witness in run.site.witnesses(play, host)]
    yield from run.fleet.open([*hosts, *witnesses])
    open_hosts = [host for host in hosts if run.is_open(host)]
    if not open_hosts:
        return
    yield PlayStarted(play.name, tuple(host.label for host in open_hosts))
    yield from together([_check_host(run, play, host, index, plans) for host in open_hosts])


def _check_host(run: Running, play: Play, host: Host, index: int, plans: Plans | None) -> Iterator[Event]:
    try:
        plan = PlayOnHost(run.site, run.fleet, play, host, check_mode=True).run().plan(stops=False)
    except ProvisionError as error:
        yield run.fleet.drop(host, error)
        return
    if plans is not None:
        plans[index, host.name] = plan
    for step in plan.steps:
        message = "" if step.hidden else step.message
        told = shown_error(step, step.message) if step.error else None
        yield TaskFinished(host.label, step.label, step.outcome, message, step.diffs, error=told)
