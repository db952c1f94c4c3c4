"""One host's seat among the hosts of a batch, and what a pass over the play sees from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from scupi_provision.inventory.inventory import Inventory
from scupi_provision.modules.contract import Membership
from scupi_provision.plan.company import AFTER, Company
from scupi_provision.plan.learnt import Found
from scupi_provision.plan.models import StepKey
from scupi_provision.plan.scope import fact_variables
from scupi_provision.run.company.growth import Growth
from scupi_provision.run.company.meetings import Meetings
from scupi_provision.run.company.places import Place, place_of
from scupi_provision.run.company.record import (
    Assigned,
    Came,
    Chronicle,
    Ended,
    Entry,
    Failed,
    Given,
    Joined,
    gifts_to,
    memberships_of,
    variables_of,
)
from scupi_provision.values import UnknownValueError

_WHY = "what the other hosts of the play have come to"


@dataclass(frozen=True)
class Rules:
    """How the hosts of a play go together.

    Attributes:
        free: Whether nobody waits for anybody (`strategy: free`), except for what is asked of others.
        most_failed: The percentage of a batch that may fail (`max_fail_percentage`); None when that is not counted.
        grows: Whether a task of the play adds to the inventory.
        gives: Whether a task of the play finds facts for another host (`delegate_facts`).
        changing: The variables that tasks of the play may set; None when they cannot be told.
    """

    free: bool = False
    most_failed: float | None = None
    grows: bool = False
    gives: bool = False
    changing: frozenset[str] | None = None


@dataclass
class Seat:
    """What lasts of one host's company from one pass to the next.

    Attributes:
        play_hosts: All hosts of the play, in their order.
        outside: Those of them that are in other batches and have not failed.
        met: Where this host has waited for the others.
        wants: Where a pass has asked for something that only a meeting can tell.
        is_closed: Whether the host is done: a pass that looks again waits for nobody, and nobody hears of it.
        missed: Whether others have done something since this host was looked at.
    """

    name: str
    meetings: Meetings
    growth: Growth
    rules: Rules = Rules()
    play_hosts: tuple[str, ...] = ()
    outside: frozenset[str] = frozenset()
    met: set[Place] = field(default_factory=set)
    wants: set[Place] = field(default_factory=set)
    is_closed: bool = False
    missed: bool = False
    _acts_seen: int = 0

    @property
    def others(self) -> tuple[str, ...]:
        """The other hosts of the batch."""
        return tuple(name for name in self.meetings.names if name != self.name)

    @property
    def mark(self) -> tuple[int, int, int]:
        """Changes whenever something has come of the company, so that the next pass may come further."""
        return len(self.met), len(self.wants), self._acts_seen

    def acted(self) -> None:
        """This host has been sent something to do."""
        self.meetings.acted(self.name)

    def catch_up(self) -> bool:
        """Whether the host has to be looked at anew, because others have done something in the meantime."""
        missed, self.missed = self.missed, False
        return missed

    def wait(self, place: Place) -> bool:
        """Wait for the others at `place`; False when they have done something since this host was looked at."""
        if self.is_closed or place in self.met:
            return True
        self.meetings.wait(self.name, place)
        self.met.add(place)
        acts = self.meetings.acts_of_others(self.name)
        self.missed, self._acts_seen = acts != self._acts_seen, acts
        return not self.missed

    def done(self, *, failed: bool) -> None:
        """This host is done with the play."""
        self.is_closed = True
        self.meetings.done(self.name, failed=failed)


class Neighbours(Company):
    """The other hosts of a batch, in one pass from one seat."""

    def __init__(self, seat: Seat) -> None:
        self.seat = seat
        self.in_step = seat.rules.most_failed is not None and bool(seat.others)
        self.chronicle = Chronicle(self._assigned)
        self.included = Chronicle(self._assigned)
        self._entries: list[Entry] = []
        self._seen: dict[tuple[str, Place], Mapping[str, Any]] = {}
        self._key: StepKey = ()
        self._place: Place = ()

    # --- for the pass ---------------------------------------------------------------------------------------------

    def at(self, key: StepKey, *, settled: bool) -> None:
        """The pass has come to the item `key`."""
        self._key, self._place = key, place_of(key)
        if settled:
            self._tell(self._place)

    def must_meet(self, key: StepKey) -> bool:
        """Whether the others were asked for at this item in an earlier pass."""
        return place_of(key) in self.seat.wants

    def meet(self, key: StepKey) -> bool:
        """Wait until every other host has come as far as this; False when this one must be looked at anew then."""
        if not self.seat.others or (self.seat.rules.free and place_of(key) not in self.seat.wants):
            return True
        place = place_of(key)
        if key[-1] != AFTER:
            self._entries.append(Came(place))
        self._tell(place)
        return self.seat.wait(place)

    def leads(self, key: StepKey) -> bool:
        """Whether this host is the one that does what is done once, after the meeting `key`."""
        place = place_of(key)
        if self.seat.rules.free or not self.seat.others:
            return True
        if place not in self.seat.met:
            return not self.seat.is_closed  # something is still to be read, and the pass will be made again
        return self._leader(place) == self.seat.name

    def follow(self, key: StepKey) -> Mapping[str, Any] | None:
        """The variables that the host which leads has got from the item `key`; None when it failed there."""
        place, after = place_of(key), place_of((*key, AFTER))
        leader = self._leader(place)
        standing = self.seat.meetings.standing(leader)
        left = [entry for entry in standing.until(after) if entry.place >= place]
        if not standing.is_in(after) or any(isinstance(entry, Failed) and entry.fatally for entry in left):
            return None
        return variables_of(left)

    def has_failed(self, key: StepKey, *, fatally: bool) -> None:
        """A task has failed here that ends the play for all (`fatally`) or only for this host."""
        self._entries.append(Failed(place_of(key), fatally))
        self._tell(place_of(key))

    def is_over(self, key: StepKey) -> bool:
        """Whether the play is over for all hosts by what has failed until the meeting `key`."""
        after, before = place_of(key), place_of(key[:-1])
        if after not in self.seat.met:
            return False
        standings = [self.seat.meetings.standing(name) for name in self.seat.meetings.names]
        for standing in standings:
            recent = (entry for entry in standing.until(after) if entry.place >= before)
            if any(isinstance(entry, Failed) and entry.fatally for entry in recent):
                return True
        most = self.seat.rules.most_failed
        failed = sum(not standing.is_in(after) for standing in standings)
        return most is not None and failed * 100 > most * len(standings)

    def ends(self, key: StepKey, what: str) -> None:
        """The item `key` ends the play or the batch for everybody."""
        self._entries.append(Ended(place_of(key), what))
        self._tell(place_of(key))

    def ending(self, key: StepKey) -> str:
        """The meta action by which the item `key` has ended the play for everybody, or ""."""
        place = place_of(key)
        standing = self.seat.meetings.standing(self._leader(place))
        return next((e.what for e in standing.entries if isinstance(e, Ended) and e.place == place), "")

    def gives(self, host: str, module: str, facts: Mapping[str, Any]) -> None:
        """A task of `module` has found facts that are those of the host `host`."""
        self._entries.append(Given(self._place, host, module, facts))

    def given(self, key: StepKey) -> list[tuple[str, Mapping[str, Any]]]:
        """Facts that the item before the meeting `key` has given this host elsewhere, each with the module's name."""
        before, after = place_of(key[:-1]), place_of(key)
        left = [e for name in self.seat.others for e in self.seat.meetings.standing(name).until(after)]
        return [(gift.module, gift.facts) for gift in gifts_to(self.seat.name, left) if gift.place >= before]

    def judged(self, joined: Membership) -> bool:
        """Whether this would change the inventory."""
        host = joined.host or self.seat.name
        known = [entry for entry in self._entries if not isinstance(entry, Joined) or entry.place < self._place]
        if host != self.seat.name and self._place in self.seat.met:
            known += [e for name in self.seat.others for e in self.seat.meetings.standing(name).until(self._place)]
        return self.seat.growth.changes(replace(joined, host=host), memberships_of(known))

    def joined(self, joined: Membership) -> None:
        """The inventory has grown by this."""
        self._entries.append(Joined(self._place, replace(joined, host=joined.host or self.seat.name)))

    # --- for variables --------------------------------------------------------------------------------------------

    def variables(self, name: str) -> Mapping[str, Any]:
        """What tasks of the play have set on the host `name` of the batch before this place.

        Raises:
            UnknownValueError: That cannot be told yet.
        """
        if name == self.seat.name:
            return self.chronicle
        self._look()
        if (name, self._place) not in self._seen:
            self._seen[name, self._place] = {**self._gifts(name), **self._own(name)}
        return self._seen[name, self._place]

    def _own(self, name: str) -> dict[str, Any]:
        return variables_of(self._left(name)) if name in self.seat.meetings.names else {}

    def _gifts(self, name: str) -> dict[str, Any]:
        if not self.seat.rules.gives:
            return {}
        left = [entry for giver in self.seat.meetings.names for entry in self._left(giver)]
        found: dict[str, Any] = {}
        for gift in gifts_to(name, left):
            by_strength = Found.of(gift.module, gift.facts)
            gathered = fact_variables(by_strength.gathered) if by_strength.gathered else {}
            found |= {**gathered, **by_strength.included, **by_strength.registered}
        return found

    def knows(self, name: str) -> bool:
        """Whether tasks of the play may have set something on the host `name`."""
        return name in self.seat.meetings.names or self.seat.rules.gives

    def may_change(self, name: str, variable: str) -> bool:
        """Whether some task of the play may set `variable` on the host `name`."""
        if not self.knows(name):
            return False
        return name == self.seat.name or self.seat.rules.changing is None or variable in self.seat.rules.changing

    def present(self) -> list[str]:
        """The hosts of the batch that have not failed before this place; raises as `variables`."""
        self._look()
        names = self.seat.meetings.names
        return [n for n in names if n == self.seat.name or self.seat.meetings.standing(n).is_in(self._place)]

    def inventory(self) -> Inventory:
        """The inventory with what it has been given before this place; raises as `variables`."""
        if not self.seat.rules.grows:
            return self.seat.growth.inventory
        self._look()
        return self.seat.growth.after(memberships_of(e for name in self.seat.meetings.names for e in self._left(name)))

    def own_groups(self) -> tuple[str, ...]:
        """The groups of this host, those that it has joined itself included."""
        if not self.seat.rules.grows:
            return self.seat.growth.inventory.host(self.seat.name).groups
        return self.seat.growth.after(memberships_of(self._entries)).host(self.seat.name).groups

    def _look(self) -> None:
        if not self.seat.others or self._place in self.seat.met or self.seat.is_closed:
            return
        self.wanted = self._key
        self.seat.wants.add(self._place)
        raise UnknownValueError(_WHY)

    def _left(self, name: str) -> list[Entry]:
        return self._entries if name == self.seat.name else self.seat.meetings.standing(name).until(self._place)

    # --- inside ---------------------------------------------------------------------------------------------------

    def _assigned(self, values: Mapping[str, Any]) -> None:
        self._entries.append(Assigned(self._place, values))

    def _tell(self, place: Place) -> None:
        if not self.seat.is_closed:
            self.seat.meetings.tell(self.seat.name, place, self._entries)

    def _leader(self, place: Place) -> str:
        names = self.seat.meetings.names
        return next((n for n in names if self.seat.meetings.standing(n).came_to(place)), self.seat.name)
