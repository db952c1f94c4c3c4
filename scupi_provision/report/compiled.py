"""What people are told of a script that was compiled."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol


class Compiled(Protocol):
    """What there is to tell (`run.compile.Compiled`)."""

    @property
    def text(self) -> str:
        """The file."""

    @property
    def steps(self) -> int:
        """How many steps it may do."""

    @property
    def unproved(self) -> tuple[str, ...]:
        """Claims that it cannot judge."""

    @property
    def hint(self) -> str:
        """What to do with it."""

    @property
    def stops(self) -> tuple[str, ...]:
        """For which accounts it does nothing, and why."""


def describe(compiled: Compiled, path: Path) -> Iterator[str]:
    """Lines for a person."""
    size = len(compiled.text.encode("utf-8", "surrogateescape"))
    steps = f", {compiled.steps} steps" if compiled.steps else ""
    yield f"{path}: {max(1, round(size / 1024))} KiB{steps}"
    yield compiled.hint
    if compiled.stops:
        yield "it does nothing, and says why,"
        yield from (f"  {reason}" for reason in compiled.stops)
    if compiled.unproved:
        yield "not proved by this script (provision verify would):"
        yield from (f"  {claim}" for claim in compiled.unproved)
