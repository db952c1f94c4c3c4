"""`provision apply`: make it so on the play's hosts, prove it on the hosts of `verify:`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from scupi_provision.errors import ProvisionError
from scupi_provision.events import Event, PlayStarted
from scupi_provision.inventory.models import Host
from scupi_provision.playbook.models import Play
from scupi_provision.run.addressed import missed
from scupi_provision.run.batch import Batch, batches_of
from scupi_provision.run.own_key import own_keys
from scupi_provision.run.play import PlayOnHost
from scupi_provision.run.prompts import ask
from scupi_provision.run.running import Running
from scupi_provision.run.site import Site
from scupi_provision.run.together import together
from scupi_provision.run.verify import verify_host

Results = dict[str, tuple[int, Mapping[str, Any]]]
"""How many tasks of a play have changed a host, and what they have registered and set there."""


def apply(site: Site) -> Iterator[Event]:
    """Yield what happens; the last event is RunFinished with the exit code."""
    with Running(site, "apply") as run:
        yield run.started()
        yield from own_keys(site.inventory, site.request)
        for play in site.playbook.plays:
            yield from missed(play, run.site.addressed(play))
            yield from ask(run, play)
            for batch in batches_of(run, play):
                yield from run.tally.watch(_apply_batch(batch))
            if run.is_over:
                break
        yield from run.finish()


def _apply_batch(batch: Batch) -> Iterator[Event]:
    run, play = batch.run, batch.play
    yield from batch.open()
    hosts = batch.present
    results: Results = {}
    if hosts:
        yield PlayStarted(play.name, tuple(host.label for host in hosts))
        yield from together([_apply_host(batch, host, results) for host in hosts])
    batch.close({name: known for name, (_, known) in results.items()})
    witnesses = {host.name: run.site.witnesses(play, host) for host in hosts}
    proved = [host for host in hosts if host.name in results and witnesses[host.name]]
    has_checks = bool(play.verify_tasks) or any(role.verify for role in play.roles)
    if proved and has_checks:
        yield from _verify(run, play, [(h, w) for h in proved for w in witnesses[h.name]], results)


def _apply_host(batch: Batch, host: Host, results: Results) -> Iterator[Event]:
    """One host's part of a batch; whatever becomes of it, the others do not wait for it any more."""
    run, seat = batch.run, batch.seats[host.name]
    try:
        driven = PlayOnHost(run.site, run.fleet, batch.play, host, known=batch.known(host), seat=seat).run()
        yield from driven.apply()
        verdict = driven.verdict()
        if verdict.failed or not verdict.proved:
            run.failed.add(host.name)
        if not verdict.failed:
            results[host.name] = (verdict.changed, driven.variables())
        run.fleet.links[host.name].snapshot = driven.snapshot
    except ProvisionError as error:
        yield batch.leave(host, error)
    finally:
        seat.done(failed=True)


def _verify(run: Running, play: Play, pairs: list[tuple[Host, Host]], results: Results) -> Iterator[Event]:
    usable = [(host, witness) for host, witness in pairs if run.is_open(witness)]
    if not usable:
        return
    witnesses = list({witness.name: witness for _, witness in usable}.values())
    yield PlayStarted(play.name, tuple(witness.label for witness in witnesses), "verify")
    yield from together(
        [_verify_on(run, play, w, [h for h, other in usable if other is w], results) for w in witnesses]
    )


def _verify_on(run: Running, play: Play, witness: Host, hosts: list[Host], results: Results) -> Iterator[Event]:
    """The checks of every host that `witness` speaks for, one after another: they share its session."""
    for host in hosts:
        changed, known = results[host.name]
        again = bool(changed) or run.site.request.verify_again
        yield from verify_host(run, play, witness, known, again=again)
