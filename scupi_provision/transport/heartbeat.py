"""Noticing a half-open link. A lost peer sends no error, and a second hop has no socket of its own to time out.

So every hop is asked for a sign of life now and then, and the connection is dead once a question has met with complete
silence for too long. Any packet counts as an answer: behind megabytes of data on a slow line the real one comes late.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from paramiko import SSHException

INTERVAL_S = 5.0
DEADLINE_S = 9.5
_TICKS = 20  # per interval; each phase may last one tick longer, so a dead link is noticed within 15 s


class Listener(Protocol):
    """One hop, as the heartbeat sees it."""

    @property
    def last_heard(self) -> float:
        """time.monotonic() of the last packet from the peer."""

    def ask_for_life(self) -> None:
        """Send something that the peer must answer; may block for as long as the link is stuck."""


class Heartbeat:
    """Asks every hop each `interval_s` and calls `on_death(index of the hop)` once, after `deadline_s` of silence.

    Nothing is sent in the first `interval_s`, so a short run has no heartbeat on the wire. One daemon thread watches;
    each question is sent by a short-lived thread of its own, because sending blocks exactly when the link is stuck.
    """

    def __init__(
        self,
        hops: Sequence[Listener],
        on_death: Callable[[int], None],
        *,
        interval_s: float = INTERVAL_S,
        deadline_s: float = DEADLINE_S,
    ) -> None:
        self._on_death = on_death
        self._deadline_s = deadline_s
        self._tick_s = min(interval_s, deadline_s) / _TICKS
        self._stopped = threading.Event()
        self._questions = [_Question(hop, interval_s) for hop in hops]
        self._thread = threading.Thread(target=self._watch, name="provision-heartbeat", daemon=True)

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def stop(self) -> None:
        """End the watch; returns at once and may be called from `on_death`."""
        self._stopped.set()

    def _watch(self) -> None:
        before = time.monotonic()
        while not self._stopped.wait(self._tick_s):
            now = time.monotonic()
            if now - before > self._deadline_s / 2:
                # We ourselves were stopped (Ctrl-Z, a suspended laptop): answers may lie unread. Ask again.
                for question in self._questions:
                    question.forget(now)
            before = now
            for index, question in enumerate(self._questions):
                if question.unanswered_for(now) > self._deadline_s:
                    self._on_death(index)
                    return
                question.ask_when_due(now)


class _Question:
    """The one question that may be open on a hop."""

    def __init__(self, hop: Listener, interval_s: float) -> None:
        self._hop = hop
        self._interval_s = interval_s
        self._asked_at = time.monotonic()
        self._open = False
        self._asking = threading.Thread()

    def forget(self, now: float) -> None:
        """Start over as if just asked and answered."""
        self._open = False
        self._asked_at = now

    def unanswered_for(self, now: float) -> float:
        """Seconds of silence since the open question, 0 without one."""
        if self._open and self._hop.last_heard > self._asked_at:
            self._open = False
        return now - self._asked_at if self._open else 0.0

    def ask_when_due(self, now: float) -> None:
        """Ask unless a question is open or was asked less than the interval ago."""
        if self._open or now - self._asked_at < self._interval_s or self._asking.is_alive():
            return
        self._open, self._asked_at = True, now
        self._asking = threading.Thread(target=self._ask, name="provision-heartbeat-question", daemon=True)
        self._asking.start()

    def _ask(self) -> None:
        try:
            self._hop.ask_for_life()
        except (OSError, EOFError, SSHException):
            # The link died while we asked. Silence will follow, and whoever reads from it learns of it there.
            return
