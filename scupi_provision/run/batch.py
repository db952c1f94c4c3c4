"""The hosts of a play that are at work at the same time, and what lasts of their work."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from scupi_provision.errors import ProvisionError
from scupi_provision.events import Event
from scupi_provision.inventory.models import Host
from scupi_provision.plan.learnt import Learnt
from scupi_provision.playbook.models import Play
from scupi_provision.run.company.batches import batches, manner_of, ordered
from scupi_provision.run.company.record import Ended, Given, memberships_of, variables_of
from scupi_provision.run.company.seat import Rules, Seat
from scupi_provision.run.company.seating import rules_of, seats
from scupi_provision.run.reach import forgives
from scupi_provision.run.running import Running


@dataclass
class Batch:
    """One batch of a play's hosts.

    Attributes:
        hosts: All of it, those too that take no part any more.
        play_hosts: The names of all hosts of the play.
        seats: Of those that take part, once it is open.
    """

    run: Running
    play: Play
    hosts: Sequence[Host]
    play_hosts: tuple[str, ...]
    rules: Rules
    seats: dict[str, Seat] = field(default_factory=dict)
    _lost_before: frozenset[str] = frozenset()

    def open(self) -> Iterator[Event]:
        """Open the hosts, and those that prove the play for them; afterwards `present` tells who takes part."""
        run, play = self.run, self.play
        self._lost_before = frozenset(run.lost)
        witnesses = [witness for host in self.hosts for witness in run.site.witnesses(play, host)]
        wanted = [host for host in self.hosts if host.name not in run.failed]
        yield from run.fleet.open([*wanted, *witnesses])
        unreachable = [host for host in wanted if not run.is_open(host)]
        if forgives(play):
            run.forgiven |= {host.name for host in unreachable}
        elif unreachable and play.any_errors_fatal:
            run.failed |= {host.name for host in wanted}
        self.seats = seats(self.present, run.growth, self.rules, self.play_hosts, frozenset(run.lost))

    @property
    def present(self) -> list[Host]:
        """The hosts that take part."""
        return [host for host in self.hosts if self.run.takes_part(host)]

    def known(self, host: Host) -> Mapping[str, Any]:
        """What earlier plays have left on `host`."""
        return self.run.fleet.remembered.get(host.name, {})

    def leave(self, host: Host, error: ProvisionError) -> Event:
        """The host is lost in the middle of the play."""
        if forgives(self.play):
            self.run.forgiven.add(host.name)
        return self.run.fleet.drop(host, error)

    def close(self, left: Mapping[str, Mapping[str, Any]]) -> None:
        """Keep what outlives the batch: variables (`left`, by host), what the inventory was given, cleared errors."""
        run = self.run
        entries = [entry for name in self.seats for entry in self._entries(name)]
        run.grow(memberships_of(entries))
        for name in self.seats:
            run.fleet.remembered[name] = Learnt.of(left[name]) if name in left else self._left(name)
        for gift in (entry for entry in entries if isinstance(entry, Given) and entry.host not in left):
            before = Learnt.of(run.fleet.remembered.get(gift.host, {}))
            run.fleet.remembered[gift.host] = before.with_found(gift.module, gift.facts)
        endings = [entry for entry in entries if isinstance(entry, Ended)]
        cleared = [entry.place for entry in endings if entry.what == "clear_host_errors"]
        if cleared:
            run.clear_errors([host for host in self.hosts if self._failed_before(host.name, max(cleared))])
        lost_now = run.lost - self._lost_before
        run.is_over = all(host.name in lost_now for host in self.hosts)  # as in Ansible, no further play is begun then
        run.ends_play = run.is_over or any(entry.what == "end_play" for entry in endings)

    def _left(self, name: str) -> Learnt:
        """What a host that has failed leaves."""
        before = Learnt.of(self.run.fleet.remembered.get(name, {}))
        now = variables_of(self._entries(name))
        return Learnt({**before, **now}, included=before.included, gathered=before.gathered)

    def _entries(self, name: str) -> list[Any]:
        standing = next(iter(self.seats.values())).meetings.standing(name)
        return list(standing.entries[: standing.count])

    def _failed_before(self, name: str, place: Any) -> bool:
        if name not in self.seats:
            return True
        failed_at = self.seats[name].meetings.standing(name).failed_at
        return failed_at is None or failed_at < place


def batches_of(run: Running, play: Play) -> Iterator[Batch]:
    """The batches of `play`, one after the other, until one of them ends the play."""
    manner = manner_of(play, run.site.request.extra)
    targets = run.site.targets(play)
    hosts = ordered(targets, manner.order)
    names = tuple(host.name for host in targets)
    rules = rules_of(play, manner)
    run.ends_play = False
    for some in batches(hosts, manner.serial):
        yield Batch(run, play, some, names, rules)
        if run.ends_play or run.is_over:
            return
