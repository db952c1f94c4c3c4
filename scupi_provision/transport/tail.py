"""The end of a stream of unknown length."""

from __future__ import annotations

import threading

TAIL_BYTES = 8 * 1024


class Tail:
    """Keeps the last `TAIL_BYTES` of what is added. Safe to use from several threads."""

    def __init__(self) -> None:
        self._bytes = b""
        self._lock = threading.Lock()

    def add(self, data: bytes) -> None:
        """Append `data`, forgetting what is too old."""
        with self._lock:
            self._bytes = (self._bytes + data)[-TAIL_BYTES:]

    def text(self) -> str:
        """What is kept, as text; bytes that are not UTF-8 are shown as U+FFFD."""
        with self._lock:
            return self._bytes.decode("utf-8", "replace")
