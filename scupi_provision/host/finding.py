"""What a look at a host, or at the way to it, has found: one line of a diagnosis, as data."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from enum import Enum


class State(str, Enum):
    """How it stands with what was looked at."""

    OK = "ok"
    NOTE = "note"
    """As it has to be here, and worth knowing all the same."""
    WARNING = "warning"
    PROBLEM = "problem"
    UNSEEN = "not seen"
    """It could not be looked at; something else is in the way."""


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        hop: The host, by its base name in the inventory; several joined by " and ".
        check: What was looked at, a word or two.
        state: How it stands.
        what: What was seen; one line. May hold text of a host, which is not trusted.
        fix: What to do about it, one line: a command to copy, or a sentence for the administrator. Only a finding that
            needs nothing done has none.
    """

    hop: str
    check: str
    state: State
    what: str
    fix: str = ""

    @property
    def data(self) -> dict[str, str]:
        """For machines."""
        return {**asdict(self), "state": self.state.value}


@dataclass(frozen=True)
class Remedy:
    """What to do that takes more than a line.

    Attributes:
        title: What it is for.
        lines: Lines to paste, or steps.
    """

    title: str
    lines: tuple[str, ...]

    @property
    def data(self) -> dict[str, object]:
        """For machines."""
        return {"remedy": self.title, "lines": list(self.lines)}


def unseen(hop: str, checks: Iterable[str], reason: str) -> list[Finding]:
    """The findings for checks that could not be made."""
    return [Finding(hop, check, State.UNSEEN, f"not looked at: {reason}") for check in checks]
