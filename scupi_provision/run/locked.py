"""Judging a locked run before it begins."""

from __future__ import annotations

from scupi_provision.host.facts import Facts
from scupi_provision.plan.models import Plan
from scupi_provision.run.lock_drift import refuse_drift
from scupi_provision.run.play import PlayOnHost
from scupi_provision.run.running import Running
from scupi_provision.run.site import Site


def require_fitting_lock(site: Site) -> None:
    """Plan the whole site by its lock, if it has one, and do nothing.

    A host that cannot be reached is left to the run itself, which tells of it.

    Raises:
        LockDriftError: Something is asked for that the lock does not have, or a host is of another kind.
    """
    if site.lock is None:
        return
    facts: dict[str, Facts] = {}
    plans: dict[str, Plan] = {}
    with Running(site, "check") as run:
        for play in site.playbook.plays:
            everyone = site.taking_part(play)
            for _ in run.fleet.open(everyone):
                pass
            for host in filter(run.is_open, everyone):
                facts[host.base] = run.fleet.links[host.name].snapshot.facts or Facts()
            for host in filter(run.is_open, site.targets(play)):
                plan = PlayOnHost(site, run.fleet, play, host, check_mode=True).run().plan(stops=False)
                plans[f"{host.label} ({play.name})"] = plan
    refuse_drift(site.lock, facts, plans)
