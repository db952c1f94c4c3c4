"""`provision verify`: run every check again, on the hosts that `verify:` names, and change nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from scupi_provision.errors import ProvisionError
from scupi_provision.events import CheckFinished, Event, Notice, Outcome, PlayStarted, TaskFinished, Verified
from scupi_provision.inventory.models import Host
from scupi_provision.playbook.models import Play
from scupi_provision.run.play import PlayOnHost
from scupi_provision.run.prompts import ask
from scupi_provision.run.proof import ProofKeeper
from scupi_provision.run.running import Running
from scupi_provision.run.site import Site
from scupi_provision.run.together import together


def verify(site: Site) -> Iterator[Event]:
    """Yield what happens; the last event is RunFinished with the exit code."""
    with Running(site, "verify") as run:
        yield run.started()
        for play in site.playbook.plays:
            yield from ask(run, play)
            yield from run.tally.watch(_verify_play(run, play))
        yield from run.finish()


def _verify_play(run: Running, play: Play) -> Iterator[Event]:
    pairs = [(host, witness) for host in run.site.targets(play) for witness in run.site.witnesses(play, host)]
    yield from run.fleet.open([host for pair in pairs for host in pair])
    pairs = [(host, witness) for host, witness in pairs if run.is_open(host) and run.is_open(witness)]
    if not pairs:
        return
    yield PlayStarted(play.name, tuple(dict.fromkeys(witness.label for _, witness in pairs)), "verify")
    by_session: dict[str | None, list[tuple[Host, Host]]] = {}
    for host, witness in pairs:  # an account's hosts and witnesses share sessions, accounts do not
        by_session.setdefault(host.account, []).append((host, witness))
    yield from together([_verify_pairs(run, play, some) for some in by_session.values()])


def _verify_pairs(run: Running, play: Play, pairs: list[tuple[Host, Host]]) -> Iterator[Event]:
    for host, witness in pairs:
        yield from _verify_pair(run, play, host, witness)


def _verify_pair(run: Running, play: Play, host: Host, witness: Host) -> Iterator[Event]:
    """Checks may use what the play's tasks register, so the play is planned first; that also tells of drift."""
    try:
        plan = PlayOnHost(run.site, run.fleet, play, host, check_mode=True).run().plan(stops=False)
    except ProvisionError as error:
        yield run.fleet.drop(host, error)
        return
    drift = sum(step.outcome is Outcome.WOULD_CHANGE for step in plan.steps)
    if drift:
        text = f"{drift} tasks would change something here: what is verified is not what the playbook describes"
        yield Notice(text, host.label, "warning")
    yield from verify_host(run, play, witness, plan.variables, again=True)


def verify_host(run: Running, play: Play, witness: Host, known: Mapping[str, Any], *, again: bool) -> Iterator[Event]:
    """The checks of `play` on one host; unless `again`, not when their last proof still stands.

    `known` is what the play's tasks registered on the applied host.
    """
    try:
        link = run.fleet.links[witness.name]
        driven = PlayOnHost(run.site, run.fleet, play, witness, known=known).verification()
        plan = driven.plan(stops=False)
        keeper = ProofKeeper(link, play.name)
        proof = keeper.stands(plan)
        if proof is not None and not again:
            yield Verified(witness.label, proof.checks, proof.when)
            return
        passed = failed = 0
        for event in driven.apply():
            passed += isinstance(event, CheckFinished) and event.passed
            failed += _is_failure(event)
            yield event
        if passed and not failed:
            keeper.write(plan, passed)
    except ProvisionError as error:
        yield run.fleet.drop(witness, error)


def _is_failure(event: Event) -> bool:
    if isinstance(event, CheckFinished):
        return not event.passed
    return isinstance(event, TaskFinished) and event.outcome is Outcome.FAILED
