"""Counting what happened: the closing lines and the exit code."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from scupi_provision.events import CheckFinished, Event, Outcome, PlayStarted, Proved, TaskFinished, Verified

EXIT_OK, EXIT_FAILED, EXIT_UNREACHABLE, EXIT_UNVERIFIED, EXIT_DRIFT = 0, 1, 3, 4, 5
"""Exit codes of a run that began; those of errors before it (2, 70) are with the errors."""


@dataclass
class Tally:
    """What has happened so far.

    Attributes:
        outcomes: Per host, how many tasks ended how.
        passed: Per host, checks that held (now, or by a proof that still stands).
        failed_checks: Per host, checks that did not.
        not_proved: Hosts whose last look showed something left to change.
    """

    outcomes: dict[str, Counter[Outcome]] = field(default_factory=dict)
    passed: Counter[str] = field(default_factory=Counter)
    failed_checks: Counter[str] = field(default_factory=Counter)
    not_proved: set[str] = field(default_factory=set)
    _pardoned: Counter[str] = field(default_factory=Counter)
    _verifying: set[str] = field(default_factory=set)

    def watch(self, events: Iterator[Event]) -> Iterator[Event]:
        """Pass `events` on, counting them."""
        for event in events:
            self.count(event)
            yield event

    def count(self, event: Event) -> None:
        """Take note of one event."""
        if isinstance(event, PlayStarted):
            self._verifying = set(event.hosts) if event.stage == "verify" else set()
        elif isinstance(event, TaskFinished):
            self.outcomes.setdefault(event.host, Counter())[event.outcome] += 1
            if event.outcome is Outcome.FAILED and event.host in self._verifying:
                self.failed_checks[event.host] += 1
        elif isinstance(event, CheckFinished):
            self.passed[event.host] += event.passed
        elif isinstance(event, Verified):
            self.passed[event.host] += event.checks
        elif isinstance(event, Proved) and event.remaining:
            self.not_proved.add(event.host)

    def pardon(self, host: str) -> None:
        """What has failed on `host` so far does not make the run a failure any more (`meta: clear_host_errors`)."""
        self._pardoned[host] = self.outcomes.get(host, Counter())[Outcome.FAILED]

    @property
    def failed(self) -> bool:
        """Whether a task failed, or the last look found something left to change."""
        tasks = sum(counts[Outcome.FAILED] for counts in self.outcomes.values())
        return tasks > sum(self.failed_checks.values()) + sum(self._pardoned.values()) or bool(self.not_proved)

    @property
    def drift(self) -> bool:
        """Whether a check found that something would change, or cannot be known."""
        wanted = (Outcome.WOULD_CHANGE, Outcome.UNKNOWN)
        return any(counts[outcome] for counts in self.outcomes.values() for outcome in wanted)

    def exit_code(self, *, unreachable: bool) -> int:
        """The process's exit code; drift is the caller's matter."""
        if unreachable:
            return EXIT_UNREACHABLE
        if self.failed:
            return EXIT_FAILED
        return EXIT_UNVERIFIED if sum(self.failed_checks.values()) else EXIT_OK
