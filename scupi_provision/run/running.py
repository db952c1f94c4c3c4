"""What every verb does around its work: say that it begins, count, close the hosts, sum up."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from types import TracebackType

from scupi_provision.events import Event, HostSummary, RunFinished, RunStarted
from scupi_provision.inventory.models import Host
from scupi_provision.modules.contract import Membership
from scupi_provision.run.company.growth import Growth
from scupi_provision.run.fleet import Fleet
from scupi_provision.run.outcome import EXIT_FAILED, EXIT_OK, EXIT_UNREACHABLE, Tally
from scupi_provision.run.site import Site


class Running:
    """One run of a verb.

    Attributes:
        site: What it is about.
        fleet: The hosts it has opened.
        tally: What has happened so far.
        failed: Names of the hosts on which a play failed; they take no further part.
        forgiven: Names of the hosts that could not be reached where that is no failure (`ignore_unreachable`).
        growth: The inventory, and what tasks add to it.
        ends_play: Whether the play under way has no further batch.
        is_over: Whether no further play is begun.
    """

    def __init__(self, site: Site, verb: str) -> None:
        self.site = site
        self.fleet = Fleet(site.inventory, site.request, verb)
        if site.bundle is not None:
            self.fleet.stock = site.bundle
        self.tally = Tally()
        self.failed: set[str] = set()
        self.forgiven: set[str] = set()
        self.growth = Growth(site.inventory, site.inventory_with)
        self.ends_play = False
        self.is_over = False
        self._verb = verb
        self._started_at = time.monotonic()

    def __enter__(self) -> Running:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.fleet.close()

    def started(self) -> RunStarted:
        """The first event."""
        hosts = dict.fromkeys(host.label for play in self.site.playbook.plays for host in self.site.targets(play))
        return RunStarted(self._verb, str(self.site.playbook.path), tuple(hosts), self.site.request.stand_ins)

    def is_open(self, host: Host) -> bool:
        """Whether the host was opened and has not been lost."""
        return host.name in self.fleet.links and host.name not in self.fleet.errors

    def takes_part(self, host: Host) -> bool:
        """Whether plays may change the host: it is open, and no play has failed there."""
        return self.is_open(host) and host.name not in self.failed

    @property
    def lost(self) -> set[str]:
        """Names of the hosts that take no further part."""
        return {*self.failed, *self.fleet.errors}

    def grow(self, joining: Sequence[Membership]) -> None:
        """Tasks have added to the inventory: later plays find it there."""
        if joining:
            self.growth.keep(joining)
            self.site = replace(self.site, inventory=self.growth.inventory)
            self.fleet.inventory = self.growth.inventory

    def clear_errors(self, hosts: Iterable[Host]) -> None:
        """These take part again in later plays, and the run does not fail by them (`meta: clear_host_errors`)."""
        for host in hosts:
            self.failed.discard(host.name)
            self.fleet.errors.pop(host.name, None)
            self.tally.pardon(host.label)

    def finish(self) -> Iterator[Event]:
        """The closing lines."""
        seconds = time.monotonic() - self._started_at
        for link in self.fleet.links.values():
            label = link.host.label
            yield HostSummary(
                label,
                dict(self.tally.outcomes.get(label, {})),
                self.tally.passed[label],
                self.tally.failed_checks[label],
                self.fleet.round_trips(label),
                seconds,
            )
        yield RunFinished(self._verb, self._exit_code(), seconds)

    def _exit_code(self) -> int:
        codes = {error.exit_code for name, error in self.fleet.errors.items() if name not in self.forgiven}
        if codes and EXIT_UNREACHABLE not in codes:
            return max(codes)
        code = self.tally.exit_code(unreachable=EXIT_UNREACHABLE in codes)
        # A host may be out without a failure of its own: what another one did for it has failed.
        return EXIT_FAILED if code == EXIT_OK and self.failed else code
