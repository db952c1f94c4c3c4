"""The event stream for machines: one JSON object a line, and nothing else."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from datetime import datetime, timezone
from enum import Enum
from typing import Any, TextIO

from scupi_provision.events import Event


def event_to_dict(event: Event) -> dict[str, Any]:
    """`event` as built-in types: its class name under "event", then its fields in the order of declaration.

    Enums become their values (as keys too), tuples lists, nested dataclasses objects; what is not set is null or "".
    """
    return {"event": type(event).__name__, **_object(event)}


class JsonLinesReporter:
    """Writes each event as one line of ASCII JSON, flushed at once, with the time at which it was shown (UTC)."""

    def __init__(self, stream: TextIO, clock: Callable[[], datetime] | None = None) -> None:
        self._stream = stream
        self._clock = clock or _utc_now

    def handle(self, event: Event) -> None:
        """Write `event`. A key never moves: "event", "time", then the fields."""
        fields = event_to_dict(event)
        line = {"event": fields.pop("event"), "time": self._clock().isoformat(timespec="milliseconds"), **fields}
        # ASCII: a terminal that happens to read this cannot be controlled by what a host said.
        self._stream.write(json.dumps(line, ensure_ascii=True) + "\n")
        self._stream.flush()

    def close(self) -> None:
        """Nothing is held open; the stream belongs to the caller."""


def _utc_now() -> datetime:
    return datetime.now(timezone.utc)


def _object(instance: Any) -> dict[str, Any]:
    return {field.name: _plain(getattr(instance, field.name)) for field in dataclasses.fields(instance)}


def _plain(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    if dataclasses.is_dataclass(value):
        return _object(value)
    if isinstance(value, dict):
        return {str(_plain(key)): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value
