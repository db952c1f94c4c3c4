"""Where the threads of a play's hosts wait for one another.

Everybody tells how far he has come and what he has left there. Whoever has to see the others waits until each of them
has come as far, or is done with the play: so of those who wait, the one at the earliest place never waits for another,
and whoever has died is not waited for.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

from scupi_provision.run.company.places import Place
from scupi_provision.run.company.record import Came, Entry
from scupi_provision.run.company.turns import Turns


@dataclass
class Standing:
    """How far one host has come.

    Attributes:
        place: Everything before it is done there.
        waits: Whether it is at this very place and waits for the others.
        entries: What it has left behind so far, of which the first `count` hold.
        is_done: Whether it is done with the play.
        failed_at: Where it left the play because of a failure, or None.
    """

    place: Place = ()
    waits: bool = False
    entries: Sequence[Entry] = ()
    count: int = 0
    is_done: bool = False
    failed_at: Place | None = None

    def has_come_to(self, place: Place) -> bool:
        """Whether nothing before `place` is still to be done here, nor the decision whether the host comes to it."""
        return self.is_done or self.place > place or (self.waits and self.place == place)

    def until(self, place: Place) -> list[Entry]:
        """What it left behind before `place`."""
        return [entry for entry in self.entries[: self.count] if entry.place < place]

    def came_to(self, place: Place) -> bool:
        """Whether it came, before it failed, to the item at `place` that one host does for all."""
        entries = self.entries[: self.count]
        return self.is_in(place) and any(isinstance(entry, Came) and entry.place == place for entry in entries)

    def is_in(self, place: Place) -> bool:
        """Whether it had not failed before `place`."""
        return self.failed_at is None or self.failed_at >= place


@dataclass
class Meetings:
    """The hosts of one batch, in their order.

    Attributes:
        names: Of the hosts.
        acts: How many programs of actions each host has been sent.
        turns: Of the tasks that only some hosts do at the same time.
    """

    names: tuple[str, ...]
    acts: dict[str, int] = field(default_factory=dict)
    turns: Turns = field(default_factory=Turns)
    _standings: dict[str, Standing] = field(init=False)
    _moved: threading.Condition = field(default_factory=threading.Condition)
    _waiting: int = 0

    def __post_init__(self) -> None:
        self._standings = {name: Standing() for name in self.names}

    def tell(self, name: str, place: Place, entries: Sequence[Entry]) -> None:
        """The host `name` has come to `place`; when a later pass comes there again, nothing changes."""
        with self._moved:
            standing = self._standings[name]
            if place < standing.place or standing.is_done:
                return
            standing.waits = standing.waits and place == standing.place
            standing.place, standing.entries, standing.count = place, entries, len(entries)
            self._wake()

    def wait(self, name: str, place: Place) -> None:
        """Wait, at `place`, until every other host has come to it."""
        others = [self._standings[other] for other in self.names if other != name]
        with self._moved:
            self._standings[name].waits = True
            self._wake()
            self._waiting += 1
            self._moved.wait_for(lambda: all(other.has_come_to(place) for other in others))
            self._waiting -= 1

    def done(self, name: str, *, failed: bool) -> None:
        """The host `name` is done with the play; what came first holds."""
        with self._moved:
            standing = self._standings[name]
            if not standing.is_done:
                standing.is_done, standing.failed_at = True, standing.place if failed else None
            self._wake()

    def acted(self, name: str) -> None:
        """The host `name` has been sent something to do."""
        with self._moved:
            self.acts[name] = self.acts.get(name, 0) + 1

    def acts_of_others(self, name: str) -> int:
        """How often the others have been sent something to do."""
        with self._moved:
            return sum(count for other, count in self.acts.items() if other != name)

    def standing(self, name: str) -> Standing:
        """How far the host `name` has come. What it says of places that it has come to does not change any more."""
        return self._standings[name]

    def _wake(self) -> None:
        if self._waiting:
            self._moved.notify_all()
