"""Open hops that several routes of one run go through, each opened once.

Without this, gpu2's route would log in to admin1 a second time, and a person would be asked for a second code: one that
was used cannot be used again (RFC 6238, 5.2).
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from scupi_provision.transport.base import Route


class _Open(Protocol):
    @property
    def usable(self) -> bool:
        """Whether it still leads somewhere."""


L = TypeVar("L", bound=_Open)


@dataclass
class Lease(Generic[L]):
    """One user's share of an open hop.

    Attributes:
        link: The open hop.
    """

    link: L
    _give_back: Callable[[], bool]

    def release(self) -> bool:
        """Give the share back, once; True when it was the last one, and the caller has to close the link."""
        return self._give_back()


@dataclass
class _Held(Generic[L]):
    coming: Future[L] = field(default_factory=Future)
    users: int = 0


class SharedHops(Generic[L]):
    """The open hops of a run, by the way to each. Several threads may ask; the first one opens, the others wait."""

    def __init__(self) -> None:
        self._held: dict[Route, _Held[L]] = {}
        self._guard = threading.Lock()

    def lease(self, way: Route, opener: Callable[[], L]) -> Lease[L]:
        """The open hop at the end of `way`, which `opener` opens when nobody has, or when it has died since.

        Raises whatever `opener` raises, to everybody who waited for it.
        """
        held, is_first = self._join(way)
        if is_first:
            try:
                held.coming.set_result(opener())
            except BaseException as error:
                self._leave(way, held)
                held.coming.set_exception(error)
                raise
        try:
            return Lease(held.coming.result(), lambda: self._leave(way, held))
        except BaseException:
            if not is_first:
                self._leave(way, held)
            raise

    def _join(self, way: Route) -> tuple[_Held[L], bool]:
        with self._guard:
            held = self._held.get(way)
            dead = held is not None and held.coming.done() and not _is_usable(held.coming)
            is_first = held is None or dead
            if held is None or dead:
                held = self._held[way] = _Held()
            held.users += 1
            return held, is_first

    def _leave(self, way: Route, held: _Held[L]) -> bool:
        with self._guard:
            held.users -= 1
            if held.users == 0 and self._held.get(way) is held:
                del self._held[way]
            return held.users == 0


def _is_usable(coming: Future[L]) -> bool:
    return coming.exception() is None and coming.result().usable
