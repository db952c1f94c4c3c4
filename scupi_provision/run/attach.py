"""`provision attach`: the durable jobs that an account has on its hosts, and one of them with its live output."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from scupi_provision.errors import InputError
from scupi_provision.events import Event, HostUnreachable
from scupi_provision.host.jobs import Job, jobs_in
from scupi_provision.inventory.load import load_inventory
from scupi_provision.inventory.models import Host
from scupi_provision.run.choosing import choose_account, choose_host
from scupi_provision.run.fleet import Fleet
from scupi_provision.run.request import RunRequest
from scupi_provision.run.session import Session
from scupi_provision.shell import job_words

_LOOK_S = 1.0
_MOST_AT_ONCE = 256 * 1024
"""Bytes of each output that one look brings; where there is more, the next look follows at once."""


@dataclass(frozen=True)
class Told:
    """What is told of a job that is followed: the job itself, or what it has said."""


@dataclass(frozen=True)
class JobOn(Told):
    """A job as one host has it."""

    host: Host
    job: Job


@dataclass(frozen=True)
class Said(Told):
    """What a job has said since the last look."""

    out: bytes
    err: bytes


def jobs(request: RunRequest, node: str | None, account: str | None) -> Iterator[Event | JobOn]:
    """Every job on `node`, or on every host of the account; a host that cannot be reached is told of.

    Hosts that share a home tell of the same jobs: each is told once, by the host that it was begun on where that is
    one of them.

    Raises:
        InputError: There is no such host or account.
    """
    fleet, hosts = _fleet(request, node, account)
    try:
        for event in fleet.open(hosts):
            if isinstance(event, HostUnreachable):
                yield event
        yield from _everywhere(fleet, hosts)
    finally:
        fleet.close()


def follow(request: RunRequest, name: str | None, node: str | None, account: str | None) -> Iterator[Event | Told]:
    """The job called `name` (or the only one that runs): first itself, then what it says, and at its end itself again.

    Nothing is done to the job: whoever stops asking leaves it running.

    Raises:
        InputError: There is no such job, or several run and none was named.
        ProvisionError: No host can be reached.
    """
    fleet, hosts = _fleet(request, node, account)
    try:
        for event in fleet.open(hosts):
            if isinstance(event, HostUnreachable):
                yield event
        if len(fleet.errors) == len(hosts):
            raise next(iter(fleet.errors.values()))
        meant = _meant(_everywhere(fleet, hosts), name)
        yield meant
        yield from _followed(fleet.links[meant.host.name].session, meant)
    finally:
        fleet.close()


def _fleet(request: RunRequest, node: str | None, account: str | None) -> tuple[Fleet, list[Host]]:
    inventory = load_inventory(request.inventory, also=request.more_inventories)
    inventory.require_accounts()
    if node is not None:
        return Fleet(inventory, request, "attach"), [choose_host(inventory, node, account)]
    mine = choose_account(inventory, account)
    return Fleet(inventory, request, "attach"), [host for host in inventory.hosts if host.account == mine]


def _everywhere(fleet: Fleet, hosts: Sequence[Host]) -> list[JobOn]:
    found: dict[str, JobOn] = {}
    for host in hosts:
        if host.name in fleet.errors:
            continue
        for job in _told(fleet.links[host.name].session, job_words.every_job()):
            known = found.get(job.name)
            if known is None or (known.job.state == "elsewhere" and job.state != "elsewhere"):
                found[job.name] = JobOn(host, job)
    return sorted(found.values(), key=lambda one: one.job.times[:1])


def _meant(there: Sequence[JobOn], name: str | None) -> JobOn:
    if name is None:
        named = [one for one in there if not one.job.has_ended]
    else:
        named = [one for one in there if one.job.name == name] or [o for o in there if o.job.name.startswith(name)]
    if len(named) == 1:
        return named[0]
    if not named:
        hint = "provision attach --list shows what there is"
        raise InputError(f"there is no job {name}" if name else "no job is running", hint=hint)
    lines = "\n".join(f"{one.job.name}  {one.job.title} on {one.host.label}" for one in named)
    raise InputError("there are several jobs", detail=lines, hint="name one: provision attach JOB")


def _followed(session: Session, meant: JobOn) -> Iterator[Told]:
    seen = [0, 0]
    while True:
        told = _told(session, job_words.more_of(meant.job.name, seen[0], seen[1], _MOST_AT_ONCE))
        job = told[0] if told else Job(meant.job.name)
        if job.out or job.err:
            seen[0] += len(job.out)
            seen[1] += len(job.err)
            yield Said(job.out, job.err)
        if max(len(job.out), len(job.err)) >= _MOST_AT_ONCE:
            continue
        if job.has_ended:
            yield JobOn(meant.host, job)
            return
        time.sleep(_LOOK_S)


def _told(session: Session, question: str) -> list[Job]:
    return [job for fact in session.ask(question) for job in jobs_in(fact.value)]
