"""`throttle`: the hosts of a batch take turns at a task, so many at a time.

Nobody waits for anybody else while it is his turn, so turns always come to an end.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from scupi_provision.plan.models import Throttle


@dataclass
class Turns:
    """Who is at which task: for every place of a playbook, how many hosts."""

    _busy: Counter[str] = field(default_factory=Counter)
    _moved: threading.Condition = field(default_factory=threading.Condition)

    @contextmanager
    def taking(self, throttle: Throttle | None) -> Iterator[None]:
        """Around the doing of a task: waits until fewer than `throttle.most` hosts are at it; None waits for nobody."""
        if throttle is None:
            yield
            return
        with self._moved:
            self._moved.wait_for(lambda: self._busy[throttle.where] < throttle.most)
            self._busy[throttle.where] += 1
        try:
            yield
        finally:
            with self._moved:
                self._busy[throttle.where] -= 1
                self._moved.notify_all()
