"""Where a variable comes from, as a value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from scupi_provision.playbook.variables import Definition


@dataclass(frozen=True)
class Explanation:
    """What a variable is to some tasks of a play on a host.

    Attributes:
        host: The host's label.
        play: The play's name.
        number: Its number, from 1.
        role: The role whose tasks see it so; "" for all other tasks.
        definitions: Every definition that they see, the one that wins last.
        later: What tasks of the play set when they run, in order; where such a layer is stronger it wins from then on.
        value: What the winning definition comes to; None when `trouble` says why that cannot be told.
    """

    variable: str
    host: str
    play: str
    number: int
    role: str
    definitions: tuple[Definition, ...]
    later: tuple[Definition, ...] = ()
    value: Any = None
    trouble: str = ""

    @property
    def winner(self) -> Definition | None:
        """The definition that counts before any task has run."""
        return self.definitions[-1] if self.definitions else None
