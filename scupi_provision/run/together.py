"""Several hosts at once: their events in one stream, as they come."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from scupi_provision.events import Event


@dataclass(frozen=True)
class _Ended:
    error: BaseException | None


def together(streams: Sequence[Iterator[Event]]) -> Iterator[Event]:
    """The events of all `streams`, each run in a thread of its own; an exception of one is raised when all have ended.

    A single stream is run in the caller's thread.
    """
    if len(streams) == 1:
        yield from streams[0]
        return
    events: queue.SimpleQueue[Event | _Ended] = queue.SimpleQueue()

    def drain(stream: Iterator[Event]) -> None:
        error: BaseException | None = None
        try:
            for event in stream:
                events.put(event)
        except BaseException as caught:  # noqa: BLE001 - it is raised again in the caller's thread
            error = caught
        events.put(_Ended(error))

    for stream in streams:
        threading.Thread(target=drain, args=(stream,), daemon=True).start()
    errors = []
    for _ in range(len(streams)):
        while not isinstance(event := events.get(), _Ended):
            yield event
        if event.error is not None:
            errors.append(event.error)
    if errors:
        raise errors[0]
