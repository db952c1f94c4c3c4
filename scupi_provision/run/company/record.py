"""What a host leaves behind in a play that other hosts may see, each thing with its place."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from scupi_provision.modules.contract import Membership
from scupi_provision.run.company.places import Place


@dataclass(frozen=True)
class Came:
    """The host came to an item that one host does for all."""

    place: Place


@dataclass(frozen=True)
class Assigned:
    """Variables were registered or set."""

    place: Place
    values: Mapping[str, Any]


@dataclass(frozen=True)
class Given:
    """A task of `module` has found facts of another host (`delegate_facts`)."""

    place: Place
    host: str
    module: str
    facts: Mapping[str, Any]


@dataclass(frozen=True)
class Joined:
    """The inventory was given more; `host` is named in any case."""

    place: Place
    membership: Membership


@dataclass(frozen=True)
class Failed:
    """A task failed; `fatally` for all hosts."""

    place: Place
    fatally: bool


@dataclass(frozen=True)
class Ended:
    """A meta action ended the play, or the batch, for all hosts."""

    place: Place
    what: str


Entry = Came | Assigned | Given | Joined | Failed | Ended


class Chronicle(dict[str, Any]):
    """The variables that a pass gives to the tasks to come; every change is written down with its place."""

    def __init__(self, write: Callable[[Mapping[str, Any]], None]) -> None:
        """Begin with nothing; `write` takes each change down."""
        super().__init__()
        self._write = write

    def __setitem__(self, name: str, value: Any) -> None:
        """Set one variable."""
        super().__setitem__(name, value)
        self._write({name: value})

    def update(self, *more: Any, **named: Any) -> None:
        """Set several."""
        values = dict(*more, **named)
        super().update(values)
        if values:
            self._write(values)


def variables_of(entries: Iterable[Entry]) -> dict[str, Any]:
    """What was set last of every variable."""
    values: dict[str, Any] = {}
    for entry in entries:
        if isinstance(entry, Assigned):
            values.update(entry.values)
    return values


def gifts_to(host: str, entries: Iterable[Entry]) -> list[Given]:
    """The facts that `host` was given, in the order of the play."""
    return sorted((entry for entry in entries if isinstance(entry, Given) and entry.host == host), key=_place)


def memberships_of(entries: Iterable[Entry]) -> list[Membership]:
    """What the inventory was given, in the order of the play."""
    return [entry.membership for entry in sorted((e for e in entries if isinstance(e, Joined)), key=_place)]


def _place(entry: Entry) -> Place:
    return entry.place
