"""What is waited for while hosts are opened side by side, told as it is said (a job in a queue may take minutes)."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from queue import SimpleQueue

from scupi_provision.errors import UnreachableError
from scupi_provision.events import Event, Notice
from scupi_provision.inventory.models import Host
from scupi_provision.transport.base import Tell

_PAUSE_S = 15.0
"""Between two lines about the same host: enough to see that it goes on."""


class Tidings:
    """Opens hosts in several threads; what they say comes out in one."""

    def __init__(self, at_once: int) -> None:
        """Open `at_once` hosts at a time."""
        self._at_once = at_once
        self._said: SimpleQueue[Event | None] = SimpleQueue()
        self._given_up = threading.Event()

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
            event = self._said.get()
            if event is not None:
                yield event

    def _teller(self, host: Host) -> Tell:
        last_s = float("-inf")

        def tell(line: str) -> None:
            nonlocal last_s
            if self._given_up.is_set():
                raise UnreachableError("the run was given up")
            if time.monotonic() - last_s >= _PAUSE_S:
                last_s = time.monotonic()
                self._said.put(Notice(line, host.label))

        return tell
