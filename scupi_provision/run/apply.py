"""`provision apply`: make it so on the play's hosts, prove it on the hosts of `verify:`."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from typing import Any

from scupi_provision.errors import ProvisionError
from scupi_provision.events import Event, PlayStarted
from scupi_provision.inventory.models import Host
from scupi_provision.playbook.models import Play
from scupi_provision.run.own_key import own_keys
from scupi_provision.run.play import PlayOnHost
from scupi_provision.run.running import Running
from scupi_provision.run.site import Site
from scupi_provision.run.together import together
from scupi_provision.run.verify import verify_host


def apply(site: Site) -> Iterator[Event]:
    """Yield what happens; the last event is RunFinished with the exit code."""
    with Running(site, "apply") as run:
        yield run.started()
        yield from own_keys(site.inventory, site.request)
        for play in site.playbook.plays:
            yield from run.tally.watch(_apply_play(run, play))
            if play.any_errors_fatal and (run.failed or run.fleet.errors):
                break
        yield from run.finish()


def _apply_play(run: Running, play: Play) -> Iterator[Event]:
    hosts = run.site.targets(play)
    witnesses = {host.name: run.site.witnesses(play, host) for host in hosts}
    yield from run.fleet.open([*hosts, *(w for some in witnesses.values() for w in some)])
    open_hosts = [host for host in hosts if run.takes_part(host)]
    if not open_hosts:
        return
    yield PlayStarted(play.name, tuple(host.label for host in open_hosts))
    results: dict[str, tuple[int, Mapping[str, Any]]] = {}
    stop = threading.Event()
    yield from together([_apply_host(run, play, host, results, stop) for host in open_hosts])
    proved = [h for h in open_hosts if h.name in results and witnesses[h.name]]
    has_checks = bool(play.verify_tasks) or any(role.verify for role in play.roles)
    if not proved or not has_checks:
        return
    yield from _verify(run, play, [(h, w) for h in proved for w in witnesses[h.name]], results)


def _apply_host(
    run: Running, play: Play, host: Host, results: dict[str, Any], stop: threading.Event
) -> Iterator[Event]:
    """One host's part of a play; `stop` is set by the first failure of a play with `any_errors_fatal`."""
    try:
        driven = PlayOnHost(run.site, run.fleet, play, host).run()
        yield from driven.apply(stop.is_set)
        verdict = driven.verdict()
        if verdict.failed or not verdict.proved:
            run.failed.add(host.name)
        if not verdict.failed:
            results[host.name] = (verdict.changed, driven.variables())
        run.fleet.links[host.name].snapshot = driven.snapshot
    except ProvisionError as error:
        yield run.fleet.drop(host, error)
    if play.any_errors_fatal and not run.takes_part(host):
        stop.set()


def _verify(
    run: Running, play: Play, pairs: list[tuple[Host, Host]], results: Mapping[str, tuple[int, Mapping[str, Any]]]
) -> Iterator[Event]:
    usable = [(host, witness) for host, witness in pairs if run.is_open(witness)]
    if not usable:
        return
    witnesses = list({witness.name: witness for _, witness in usable}.values())
    yield PlayStarted(play.name, tuple(witness.label for witness in witnesses), "verify")
    yield from together(
        [_verify_on(run, play, w, [h for h, other in usable if other is w], results) for w in witnesses]
    )


def _verify_on(
    run: Running, play: Play, witness: Host, hosts: list[Host], results: Mapping[str, tuple[int, Mapping[str, Any]]]
) -> Iterator[Event]:
    """The checks of every host that `witness` speaks for, one after another: they share its session."""
    for host in hosts:
        changed, known = results[host.name]
        again = bool(changed) or run.site.request.verify_again
        yield from verify_host(run, play, witness, known, again=again)
