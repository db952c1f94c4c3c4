"""Events without secrets: what every reporter gets."""

from __future__ import annotations

import dataclasses
from enum import Enum
from typing import Any, TextIO, TypeVar

from scupi_provision.events import Event
from scupi_provision.masking import Mask, mask
from scupi_provision.report.base import Reporter

T = TypeVar("T")


class MaskedReporter:
    """Hands each event on with everything secret in it replaced by stars."""

    def __init__(self, reporter: Reporter) -> None:
        self._reporter = reporter

    def handle(self, event: Event) -> None:
        """Show what may be shown of `event`."""
        self._reporter.handle(masked(event))

    def close(self) -> None:
        """Close the reporter behind this one."""
        self._reporter.close()


class MaskedStream:
    """A text stream without secrets: the last net, below reporters and all else that prints.

    It sees text as it was laid out, in which a secret may be cut in two by a colour or a column's end; events are
    masked before that.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write what may be shown of `text`; says that all of it was."""
        self._stream.write(mask().hide(text))
        return len(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def masked(value: T) -> T:
    """`value` with every text in it, however deep, as `Mask.hide` shows it; keys of mappings too.

    Enums stay: their words are ours. What holds no secret is the same object.
    """
    known = mask()
    return _masked(value, known) if known else value


def _masked(value: Any, known: Mask) -> Any:
    if isinstance(value, Enum):
        return value
    if isinstance(value, str):
        return known.hide(value)
    if isinstance(value, list | tuple):
        items = [_masked(item, known) for item in value]
        same = all(new is old for new, old in zip(items, value, strict=True))
        return value if same else type(value)(items)
    if isinstance(value, dict):
        return {_masked(key, known): _masked(item, known) for key, item in value.items()}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {field.name: getattr(value, field.name) for field in dataclasses.fields(value) if field.init}
        changed = {name: new for name, old in fields.items() if (new := _masked(old, known)) is not old}
        return dataclasses.replace(value, **changed) if changed else value
    return value
