"""One play on one host: plan, perform, look again, until nothing is left to change."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import Any

from scupi_provision.errors import InternalError, StepFailedError
from scupi_provision.events import Event, Notice, Outcome, Proved, TaskLabel, TaskProgress, TaskStarted
from scupi_provision.host.snapshot import Snapshot
from scupi_provision.plan.delegation import HERE
from scupi_provision.plan.models import Done, Plan, Step, StepKey
from scupi_provision.plan.passing import passing
from scupi_provision.plan.planner import Planning, make_plan
from scupi_provision.plan.stream import stream_of
from scupi_provision.run.blobs import Stock
from scupi_provision.run.bringing import Bringing
from scupi_provision.run.company.seat import Seat
from scupi_provision.run.delegates import Doer, HostDelegates
from scupi_provision.run.downloads import DownloadCache, cache_folder
from scupi_provision.run.guard import LoginGuard
from scupi_provision.run.keeping import keep_files
from scupi_provision.run.session import Session, refusal
from scupi_provision.run.settling import Progress, events_of, settled_safely
from scupi_provision.shell.actions import Run
from scupi_provision.shell.replies import (
    NoteReply,
    ProgressReply,
    Reply,
    RunReply,
    StepBegun,
    StepDone,
    StepFailed,
    StepStale,
)

_MOST_STALE = 10
"""Times in a row that a step is planned anew because the host changed under it, until somebody else must be at work."""


@dataclass(frozen=True)
class Verdict:
    """How a play ended on a host; `proved` when the last look found nothing left to change."""

    failed: bool
    changed: int
    proved: bool = False


class HostRun:
    """Drives one play on one host over one session.

    Attributes:
        settled: What has become of each step so far.
        seat: The host's among the others of its batch; None when there is nobody else.
        delegates: The hosts to which its tasks are delegated; None when they cannot be.
    """

    def __init__(
        self,
        label: str,
        session: Session,
        planning: Planning,
        snapshot: Snapshot,
        *,
        verifies: bool = False,
        stock: Stock | None = None,
        guard: LoginGuard | None = None,
    ) -> None:
        self._verifies = verifies
        self._label = label
        self._session = session
        self._planning = planning
        self._snapshot = snapshot
        self.settled: dict[StepKey, Done] = {}
        self._stale = 0
        self._attempts: dict[StepKey, int] = {}
        self._rest_s: float | None = None
        self.seat: Seat | None = None
        self.delegates: HostDelegates | None = None
        self._failed = False
        self._taken_back = False
        self._proved = False
        self._progress: dict[int, Progress] = {}
        home = snapshot.facts.home if snapshot.facts else "/"
        bringing = Bringing(label, session, stock or DownloadCache(cache_folder()), home)
        self._own = self._doer = Doer(session, bringing, guard)

    @property
    def snapshot(self) -> Snapshot:
        """What is known of the host now."""
        return self._snapshot

    # --- planning -------------------------------------------------------------------------------------------------

    def plan(self, *, stops: bool) -> Plan:
        """The steps that come next; with `stops` only up to where a program has to run first."""
        return make_plan(replace(self._planning, stops=stops), self.settled, self._snapshot, self._session.read)

    def forget(self) -> None:
        """What was read may no longer be so; facts of the machine stay."""
        self._snapshot = Snapshot(self._snapshot.facts)
        if self.delegates:
            self.delegates.forget()

    # --- applying -------------------------------------------------------------------------------------------------

    def apply(self) -> Iterator[Event]:
        """Make it so: yields events, the last look (`Proved`) included; the verdict is in `verdict()`."""
        only: Plan | None = None
        while True:
            before = self._mark()
            plan = self.plan(stops=True)
            time.sleep(plan.rest_s)
            only = plan if not self.settled else None
            if self.seat and plan.pending:
                self.seat.acted()
            with self._turn(plan):
                yield from self._perform(plan)
            if self._taken_back:
                self._failed = True
                return
            if plan.pending:
                self.forget()
            if self._rest_s is not None:
                time.sleep(self._rest_s)
                self.forget()
            if self.seat and self.seat.catch_up():
                self.forget()
            if plan.complete and len(self.settled) == before[0] + len(plan.steps) and not self._came_to_grief(plan):
                break
            if self._mark() == before:
                raise InternalError("the play waits for something that no task of it tells")
        self._failed = plan.failed
        if self.seat:
            if self.seat.others:
                self.plan(stops=True)  # tells the others what the last steps have brought
            self.seat.done(failed=plan.failed)
        if not plan.failed and not self._verifies:
            yield from self._prove(only if only and not only.pending else None)

    def _turn(self, plan: Plan) -> AbstractContextManager[None]:
        """Around the doing of `plan`, whose steps have one throttle or none (`Course.take`)."""
        throttle = next((step.throttle for step in plan.pending), None)
        return self.seat.meetings.turns.taking(throttle) if self.seat else nullcontext()

    def do(self, plan: Plan) -> Iterator[Event]:
        """Perform `plan` outside of an apply: what a check does, too."""
        yield from self._perform(plan)
        self.forget()

    def _came_to_grief(self, plan: Plan) -> bool:
        """Whether a step has failed that was to succeed: what comes of that (`rescue`, `always`) is not planned yet."""
        failures = {Outcome.FAILED, Outcome.RESCUED}
        return any(step.outcome not in failures and self.settled[step.key].outcome in failures for step in plan.steps)

    def _mark(self) -> tuple[Any, ...]:
        """How far the play has come: a round that changes nothing of this would go on for ever."""
        own = len(self.settled), self._stale, sum(self._attempts.values()), self._own.bringing.instead
        others = self.delegates.instead if self.delegates else 0
        return (*own, others, *(self.seat.mark if self.seat else ()))

    def variables(self) -> Mapping[str, Any]:
        """Registered values and facts, now that everything is settled."""
        return self.plan(stops=False).variables

    def verdict(self) -> Verdict:
        """What has come of the play."""
        outcomes = [done.outcome for done in self.settled.values()]
        return Verdict(self._failed, outcomes.count(Outcome.CHANGED), self._proved)

    def _prove(self, looked: Plan | None) -> Iterator[Event]:
        """Look again. Where nothing was sent to the host, the look that has been taken is the last (`looked`)."""
        if self.verdict().changed:
            self.forget()
        plan = looked or self.plan_afresh()
        open_outcomes = {Outcome.WOULD_CHANGE, Outcome.FAILED}
        undone = passing(plan.steps, self._snapshot.entries)
        changing = [
            step
            for step in plan.steps
            if step.outcome in open_outcomes and not _is_unprovable(step) and not self._was_left_out(step)
        ]
        left = tuple(step.label for step in changing if step.key not in undone)
        self._proved = not left
        yield Proved(self._label, left, _unprovable(plan), tuple(s.label for s in changing if s.key in undone))

    def _was_left_out(self, step: Step) -> bool:
        """Whether the step had no turn: a rescue came in before it, or its handler was not called.

        Another program may fail there next time, or not; and a program of which only a run tells whether it changes
        anything calls its handlers in every plan. What does change something is itself left to change.
        """
        rescued = any(done.outcome is Outcome.RESCUED for done in self.settled.values())
        return (rescued or step.key[0] == "handlers") and step.key not in self.settled

    def plan_afresh(self) -> Plan:
        """The whole play planned on what the host is now, as if nothing had been done in this run."""
        return make_plan(replace(self._planning, stops=False), {}, self._snapshot, self._session.read)

    # --- performing one plan --------------------------------------------------------------------------------------

    def _perform(self, plan: Plan) -> Iterator[Event]:
        self._doer = self._doer_of(plan)
        stream, unbrought = yield from self._doer.bringing.bring(stream_of(plan.steps), plan.steps)
        guard = self._doer.guard
        if guard and stream:
            stream = yield from guard.over(stream, plan.steps)
        self._progress, self._rest_s = {}, None
        cursor = 0
        stopped = False
        if stream:
            for reply in self._doer.session.perform(stream, keeps_proof=self._verifies):
                if guard:
                    guard.watch(reply)
                if isinstance(reply, StepBegun):
                    yield from self._settle_until(plan, cursor, reply.step)
                    cursor = reply.step + 1
                    yield from self._begin(plan.steps[reply.step], reply.step)
                elif isinstance(reply, StepDone):
                    yield from self._settle(plan.steps[reply.step], reply.step)
                elif isinstance(reply, StepStale):
                    stopped = True
                    yield self._note_stale(reply)
                elif isinstance(reply, StepFailed):
                    stopped = True
                    yield from self._fail(plan.steps[reply.step], reply)
                else:
                    yield from self._tell(plan, reply)
        if unbrought and not stopped:
            stopped = True
            yield from self._settle_until(plan, cursor, unbrought.step)
            yield from self._begin(plan.steps[unbrought.step], unbrought.step)
            yield from self._fail(plan.steps[unbrought.step], unbrought)
        if not stopped:
            yield from self._settle_until(plan, cursor, len(plan.steps))
        if guard:
            self._taken_back = not (yield from guard.judge())

    def _doer_of(self, plan: Plan) -> Doer:
        """Who does the steps of this plan: one host does all of them (`Course.view`)."""
        on = next((step.on for step in plan.pending), HERE)
        return self.delegates.doer(on) if self.delegates and on != HERE else self._own

    def _fail(self, step: Step, failure: StepFailed) -> Iterator[Event]:
        progress = self._progress[failure.step]
        if self._doer.bringing.takes_over(step, progress.runs):
            yield Notice("this host cannot download: this computer does it and sends the files on", self._label)
            return
        progress.failure = failure
        yield from self._settle(step, failure.step)

    def _begin(self, step: Step, index: int) -> Iterator[Event]:
        self._progress[index] = Progress(time.monotonic())
        if step.actions:
            yield TaskStarted(self._label, step.label)

    def _settle_until(self, plan: Plan, first: int, end: int) -> Iterator[Event]:
        """Settle the steps that had nothing to do on the host."""
        for index in range(first, end):
            yield from self._settle(plan.steps[index], index)

    def _settle(self, step: Step, index: int) -> Iterator[Event]:
        progress = self._progress.get(index)
        attempt = self._attempts.get(step.key, 1)
        if progress is not None and progress.failure is None:
            progress.failure = keep_files(step.actions, index)
        done = settled_safely(step, progress, attempt)
        if done is None:
            yield self._again(step, attempt)
            return
        self.settled[step.key] = done
        self._stale = 0
        home = self._snapshot.facts.home if self._snapshot.facts else "/"
        yield from events_of(step, done, progress, self._label, home)

    def _again(self, step: Step, attempt: int) -> TaskProgress:
        """`until` does not hold yet: rest, look and do it again."""
        self._attempts[step.key] = attempt + 1
        retries, self._rest_s = (step.patience.retries, step.patience.delay_s) if step.patience else (0, 0)
        phase = f"attempt {attempt} of {retries + 1} was not enough"
        return TaskProgress(self._label, step.label, phase, 0.0, "")

    def _note_stale(self, reply: StepStale) -> Notice:
        self._stale += 1
        if self._stale > _MOST_STALE:
            raise StepFailedError(
                "the host changes as fast as it is planned",
                detail=reply.why,
                hint="is somebody else, or another program, changing the same files?",
            )
        return Notice(f"planned again, because the host has changed meanwhile: {reply.why}", self._label)

    def _tell(self, plan: Plan, reply: Reply) -> Iterator[Event]:
        if isinstance(reply, RunReply):
            self._progress[reply.step].runs.append(reply)
        elif isinstance(reply, ProgressReply) and reply.step not in self._progress:
            return  # a late word of a step that has ended
        elif isinstance(reply, ProgressReply):
            step = plan.steps[reply.step]
            phase = reply.phase or _phase(step)
            last_line = "" if step.hidden else reply.last_line.strip()
            yield TaskProgress(self._label, step.label, phase, float(reply.elapsed_s), last_line)
        elif isinstance(reply, NoteReply):
            yield Notice(reply.text, self._label)
        else:
            raise refusal(reply)


def _phase(step: Step) -> str:
    return next((a.phase for a in step.actions if isinstance(a, Run) and a.phase), step.label.module)


def _is_unprovable(step: Step) -> bool:
    return bool(step.result and step.result.unprovable)


def _unprovable(plan: Plan) -> tuple[TaskLabel, ...]:
    return tuple(step.label for step in plan.steps if _is_unprovable(step) or step.outcome is Outcome.UNKNOWN)
