"""What a run came to, added up from its events."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from scupi_provision.events import (
    CheckFinished,
    Event,
    HostSummary,
    HostUnreachable,
    Outcome,
    PlayStarted,
    Proved,
    RunStarted,
    TaskFinished,
    Verified,
)


@dataclass
class HostTally:
    """One host's numbers so far; `summary` replaces them when the run hands it over."""

    counts: Counter[Outcome] = field(default_factory=Counter)
    checks_passed: int = 0
    checks_failed: int = 0
    is_unreachable: bool = False
    standing_proof: Verified | None = None
    proof: Proved | None = None
    summary: HostSummary | None = None

    def count(self, outcome: Outcome) -> int:
        """Tasks with `outcome`."""
        return (self.summary.counts if self.summary else self.counts).get(outcome, 0)

    @property
    def passed(self) -> int:
        """Checks that passed in this run."""
        return self.summary.checks_passed if self.summary else self.checks_passed

    @property
    def failed_checks(self) -> int:
        """Checks that failed in this run: neither count may hide a failure that the other one knows."""
        return max(self.summary.checks_failed if self.summary else 0, self.checks_failed)


class RunTally:
    """Adds up events. A run that is interrupted before its summaries still has its numbers here."""

    def __init__(self) -> None:
        self.verb = ""
        self.hosts: dict[str, HostTally] = {}
        self.applied: list[str] = []

    def host(self, name: str) -> HostTally:
        """The tally of `name`, begun when it is new."""
        return self.hosts.setdefault(name, HostTally())

    def note(self, event: Event) -> None:
        """Count `event`."""
        if isinstance(event, RunStarted):
            self.verb = event.verb
            for name in event.hosts:
                self.host(name)  # the table has the order of the run, not the order in which hosts answered
        elif isinstance(event, PlayStarted):
            self._note_play(event)
        elif isinstance(event, TaskFinished):
            self.host(event.host).counts[event.outcome] += 1
        elif isinstance(event, CheckFinished):
            tally = self.host(event.host)
            tally.checks_passed += event.passed
            tally.checks_failed += not event.passed
        elif isinstance(event, HostUnreachable):
            self.host(event.host).is_unreachable = True
        elif isinstance(event, Verified):
            self.host(event.host).standing_proof = event
        elif isinstance(event, Proved):
            self.host(event.host).proof = event
        elif isinstance(event, HostSummary):
            self.host(event.host).summary = event

    def total(self, outcome: Outcome) -> int:
        """Tasks with `outcome` on all hosts."""
        return sum(tally.count(outcome) for tally in self.hosts.values())

    def _note_play(self, event: PlayStarted) -> None:
        for name in event.hosts:
            self.host(name)
            if event.stage == "apply" and name not in self.applied:
                self.applied.append(name)
