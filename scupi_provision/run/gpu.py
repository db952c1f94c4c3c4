"""`provision gpu`: who is on which GPU, and whether torch computes there. Changes nothing on any host."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from scupi_provision.errors import ProvisionError
from scupi_provision.events import Event
from scupi_provision.gpu.bundle import probe_archive
from scupi_provision.gpu.node import GpuNode, gpu_node, inventory_of
from scupi_provision.gpu.probe.program import SCHEMA
from scupi_provision.inventory.inventory import Inventory
from scupi_provision.inventory.load import load_inventory
from scupi_provision.inventory.models import Host
from scupi_provision.run.fleet import Fleet, Link
from scupi_provision.run.request import RunRequest
from scupi_provision.run.session import refusal
from scupi_provision.run.site import load_site
from scupi_provision.shell import program
from scupi_provision.shell.actions import Run
from scupi_provision.shell.compile import Turn
from scupi_provision.shell.replies import DeniedReply, LockedReply, RunReply, StepFailed
from scupi_provision.shell.scripts import script
from scupi_provision.shell.words import words

_SLACK_S = 30
"""What the probe may take beyond its own limit until it is ended from outside."""


@dataclass(frozen=True)
class ProbeWish:
    """What the probe shall do on the nodes.

    Attributes:
        python: The interpreter with torch; "" for that of role torch.
        options: Words for the probe's command line.
        limit_s: Seconds for each node.
        cpu_reason: Why the CPU may stand in where there is no GPU; None when it may not.
    """

    python: str = ""
    options: tuple[str, ...] = ()
    limit_s: int = 300
    cpu_reason: str | None = None


def gpus(request: RunRequest, *, of_site: bool, wish: ProbeWish | None = None) -> Iterator[Event | GpuNode]:
    """Look at every host once, whoever's account it is; yields what happens and each node.

    Args:
        request: The inventory, and with `of_site` the playbook whose hosts (and verify hosts) are meant.
        of_site: Whether the playbook counts.
        wish: What the probe shall do, if it shall run.

    Raises:
        InputError: The inventory or the playbook is not valid, or names nobody.
    """
    inventory, hosts = _hosts(request, of_site=of_site)
    fleet = Fleet(inventory, request, "gpu")
    try:
        yield from fleet.open(hosts)
        for host in hosts:
            if host.name not in fleet.errors:
                yield from _look(fleet, host, wish)
    finally:
        fleet.close()


def _hosts(request: RunRequest, *, of_site: bool) -> tuple[Inventory, list[Host]]:
    """Each machine once: accounts share them."""
    if of_site:
        site = load_site(request)
        plays = site.playbook.plays
        found = [h for play in plays for host in site.targets(play) for h in (host, *site.witnesses(play, host))]
        return site.inventory, _one_of_each(found)
    inventory = load_inventory(request.inventory, also=request.more_inventories)
    inventory.require_accounts()
    return inventory, _one_of_each(inventory.select("all", request.limit))


def _one_of_each(hosts: Iterable[Host]) -> list[Host]:
    first: dict[str, Host] = {}
    for host in hosts:
        first.setdefault(host.base, host)
    return list(first.values())


def _look(fleet: Fleet, host: Host, wish: ProbeWish | None) -> Iterator[Event | GpuNode]:
    link = fleet.links[host.name]
    try:
        node = _node(link)
        if wish is not None and _shall_run(node, host, wish):
            node = replace(node, report=_probe(link, wish))
        yield node
    except ProvisionError as error:
        yield fleet.drop(host, error)


def _node(link: Link) -> GpuNode:
    told = link.session.ask(program.gpu_use())
    facts = link.snapshot.facts
    variables = facts.variables() if facts else {}
    inventory = inventory_of((reply.name, reply.value) for reply in told)
    return gpu_node(link.host.base, variables.get("nvidia_driver", ""), variables.get("cuda_driver", ""), inventory)


def _shall_run(node: GpuNode, host: Host, wish: ProbeWish) -> bool:
    """Where the CPU may stand in, it stands in for a GPU node: a host behind another one."""
    return bool(node.inventory.gpus) or (wish.cpu_reason is not None and host.via is not None)


def _probe(link: Link, wish: ProbeWish) -> dict[str, Any]:
    options = ["--limit", str(wish.limit_s), *wish.options]
    if wish.cpu_reason is not None:
        options += ["--allow-cpu", wish.cpu_reason]
    action = Run(
        script("probe.sh", PYTHON=wish.python, OPTIONS=words(*options)),
        stdin=probe_archive(),
        timeout_s=wish.limit_s + _SLACK_S,
        phase="probe",
        writes=(),
        fails_when_nonzero=False,
    )
    for reply in link.session.perform([Turn(0, [action])], keeps_proof=True):
        if isinstance(reply, RunReply):
            return _report(reply)
        if isinstance(reply, LockedReply | DeniedReply):
            raise refusal(reply)
        if isinstance(reply, StepFailed):
            raise ProvisionError("the probe could not be started", detail=f"{reply.why}\n{reply.output}".strip())
    raise ProvisionError("the probe did not run", hint="run the same command again")


def _report(reply: RunReply) -> dict[str, Any]:
    lines = reply.stdout.decode("utf-8", "replace").splitlines()
    try:
        report = json.loads(lines[-1])
    except (IndexError, ValueError):
        report = None
    if isinstance(report, dict) and report.get("schema") == SCHEMA:
        return report
    said = reply.stderr.decode("utf-8", "replace").strip()
    raise ProvisionError(
        f"the probe ended with status {reply.status} and did not report",
        detail=said or "it said nothing",
        hint="apply the role torch first, or name an interpreter that has torch with --python",
    )
