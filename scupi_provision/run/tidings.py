"""What is waited for while hosts are opened side by side, told as it is said (a job in a queue may take minutes).

Questions to a person are put by the thread that reads the tidings. Only that one hears of Ctrl-C, so whoever does not
want to answer gets away at once, and two hosts never ask at the same time.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Any

from scupi_provision.errors import UnreachableError
from scupi_provision.events import Event, Notice
from scupi_provision.inventory.models import Host
from scupi_provision.transport.base import Hop, Nobody, Person, Tell

_PAUSE_S = 15.0
"""Between two lines about the same host: enough to see that it goes on."""
_LOOK_S = 0.2


@dataclass(frozen=True)
class _Question:
    """Something to be done by the thread that reads, for one that waits."""

    put: Callable[[], Any]
    answered: Future[Any] = field(default_factory=Future)

    def ask(self) -> None:
        """Put it, and hand the answer or the refusal over."""
        try:
            self.answered.set_result(self.put())
        except Exception as error:  # noqa: BLE001 - whoever waits gets it, whatever it is
            self.answered.set_exception(error)


class Tidings:
    """Opens hosts in several threads; what they say and ask comes out in one.

    Attributes:
        person: Who may be asked by the threads.
    """

    def __init__(self, at_once: int, person: Person) -> None:
        """Open `at_once` hosts at a time; `person` is the one who is asked in the end."""
        self._at_once = at_once
        self._said: SimpleQueue[Event | _Question | None] = SimpleQueue()
        self._given_up = threading.Event()
        self.person = person if isinstance(person, Nobody) else _Asked(person, self._answer_to)

    def of(self, hosts: Sequence[Host], opener: Callable[[Host, Tell], list[Event]]) -> Iterator[Event]:
        """What is waited for, at once; and what comes of each host, in the order of `hosts`."""
        with ThreadPoolExecutor(max_workers=self._at_once) as pool:
            try:
                for opening in [pool.submit(opener, host, self._teller(host)) for host in hosts]:
                    opening.add_done_callback(lambda _: self._said.put(None))
                    yield from self._until(opening)
                    yield from opening.result()
            except BaseException:
                self._given_up.set()  # else the pool would wait for them to the end
                raise

    def _until(self, opening: Future[list[Event]]) -> Iterator[Event]:
        while not (opening.done() and self._said.empty()):
            said = self._said.get()
            if isinstance(said, _Question):
                said.ask()
            elif said is not None:
                yield said

    def _answer_to(self, put: Callable[[], Any]) -> Any:
        question = _Question(put)
        self._said.put(question)
        while not self._given_up.is_set():
            if wait([question.answered], timeout=_LOOK_S).done:
                return question.answered.result()
        raise _given_up()

    def _teller(self, host: Host) -> Tell:
        last_s = float("-inf")

        def tell(line: str) -> None:
            nonlocal last_s
            if self._given_up.is_set():
                raise _given_up()
            if time.monotonic() - last_s >= _PAUSE_S:
                last_s = time.monotonic()
                self._said.put(Notice(line, host.label))

        return tell


class _Asked:
    """The Person protocol for threads: each question is put elsewhere, and its answer waited for."""

    def __init__(self, person: Person, answer_to: Callable[[Callable[[], Any]], Any]) -> None:
        self._person = person
        self._answer_to = answer_to

    def secret(self, hop: Hop, question: str, *, echo: bool) -> str:
        """What the person answers."""
        return str(self._answer_to(lambda: self._person.secret(hop, question, echo=echo)))

    def trusts(self, hop: Hop, offered: str) -> bool:
        """What the person decides."""
        return bool(self._answer_to(lambda: self._person.trusts(hop, offered)))


def _given_up() -> UnreachableError:
    return UnreachableError("the run was given up")
