"""What became of a step: the host's replies to the planner's memory and to events."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from scupi_provision.errors import Diagnostic, InputError
from scupi_provision.events import CheckFinished, Event, Notice, Outcome, TaskFinished
from scupi_provision.host.generation import Generation
from scupi_provision.modules.contract import Result
from scupi_provision.plan.judging import judged_afterwards
from scupi_provision.plan.limits import timed_out
from scupi_provision.plan.models import Done, Judgement, Step
from scupi_provision.plan.registering import FAILURES, planned_values, with_verdict
from scupi_provision.plan.rounds import from_home
from scupi_provision.plan.secrecy import shows_a_secret
from scupi_provision.shell.actions import Run
from scupi_provision.shell.replies import RunReply, StepFailed
from scupi_provision.source import diagnostic
from scupi_provision.values import UnknownValueError

_TIMED_OUT = 124
"""The status of a program that was ended because it took too long (`shell.replies.RunReply`)."""
_HIDDEN = "hidden by no_log"
_IN_SIGHT = (
    "{task}: a secret is one of the words of its command, and everybody on the host could see it while it ran (ps); "
    "give it by stdin or environment"
)
_SHOWN_LINES = 20
"""Last lines of a failed program that people are shown; the log on the host has the rest."""


@dataclass
class Progress:
    """What has come back for a step that is under way.

    Attributes:
        started_at: Seconds on the monotonic clock.
        runs: Programs that have ended.
        failure: The host's word that an action failed, or None.
    """

    started_at: float = 0.0
    runs: list[RunReply] = field(default_factory=list)
    failure: StepFailed | None = None


def settle(step: Step, progress: Progress | None, attempt: int = 1) -> Done | None:
    """The lasting outcome of a step; None when `until` does not hold and the step is to be done again.

    Args:
        step: What was planned.
        progress: None for a step that had nothing to do on the host.
        attempt: How often the step has been done, counting from 1.
    """
    runs = tuple(progress.runs) if progress else ()
    failure = progress.failure if progress else None
    result = step.result or Result()
    if runs and step.module and step.module.finish:
        result = step.module.finish(step.args, result, runs)
    values = _values(step, result, failed=result.failed or failure is not None, ran=bool(runs))
    late = bool(step.limit_s and runs and runs[-1].status == _TIMED_OUT)
    values = timed_out(step.limit_s) if late else values
    message = values["msg"] if late else result.message or (failure.why if failure else "") or step.message
    if not late and (failure is None or runs):
        values = judged_afterwards(step.judgement, values)
        message = "failed_when says so" if values.get("failed_when_result") and not result.failed else message
    if step.patience is not None:
        values["attempts"] = attempt
        if not step.patience.holds(values):
            if attempt <= step.patience.retries:
                return None
            message = f"until does not hold, after {attempt} attempts" + (f": {message}" if message else "")
            values |= {"failed": True, "attempts": step.patience.retries}
    failed = bool(values.get("failed"))
    if message and failed:
        values.setdefault("msg", message)
    staged = step.record.generation if step.record else None
    generation = staged if isinstance(staged, Generation) else None
    outcome = _outcome(step, failed=failed, changed=bool(values["changed"]))
    return Done(outcome, values, result.facts, result.claims, generation, message, result.joins)


def _values(step: Step, result: Result, *, failed: bool, ran: bool) -> dict[str, Any]:
    """What the module itself has to say of a step that was done."""
    changed = step.outcome is Outcome.WOULD_CHANGE
    if ran and step.result and step.result.undecided:
        changed = result.changed
    begun = replace(step, judgement=Judgement(), patience=None, ignore_errors=False)  # these are judged after this
    told = {**planned_values(begun), **result.values}
    return with_verdict(told, changed=changed, failed=failed or step.outcome in FAILURES)


def settled_safely(step: Step, progress: Progress | None, attempt: int = 1) -> Done | None:
    """As `settle`; a judgement that cannot be made is a failure of the task."""
    try:
        return settle(step, progress, attempt)
    except UnknownValueError as error:
        message = f"cannot be judged: {error.reason} was never known"
    except InputError as error:
        message = f"cannot be judged: {error}"
    outcome = _outcome(step, failed=True, changed=False)
    return Done(outcome, {"failed": True, "changed": False, "msg": message}, message=message)


def _outcome(step: Step, *, failed: bool, changed: bool) -> Outcome:
    if failed and step.ignore_errors:
        return Outcome.IGNORED
    if failed:
        return Outcome.RESCUED if step.is_rescued else Outcome.FAILED
    if step.outcome is Outcome.SKIPPED:
        return Outcome.SKIPPED
    return Outcome.CHANGED if changed else Outcome.OK


def events_of(step: Step, done: Done, progress: Progress | None, host: str, home: str) -> Iterator[Event]:
    """What people are told of a settled step; paths below `home` as people write them."""
    last = progress.runs[-1] if progress and progress.runs else None
    seconds = time.monotonic() - progress.started_at if progress else 0.0
    if last is not None and last.seconds is not None:
        seconds = float(last.seconds)  # it ran aside: its own time, not that until its step was closed
    failed = done.outcome in {Outcome.FAILED, Outcome.IGNORED, Outcome.RESCUED}
    if progress is not None and shows_a_secret(step.actions):
        yield Notice(_IN_SIGHT.format(task=step.label), host, "warning")
    output = _last_words(last, progress.failure if progress else None) if failed and not step.hidden else ""
    yield TaskFinished(
        host,
        step.label,
        done.outcome,
        "" if step.hidden else from_home(done.message, home),
        step.diffs,
        output,
        last.log if last and failed and not _is_confidential(step) else "",
        seconds,
        shown_error(step, done.message, _kind_of_failure(step, progress)) if failed else None,
    )
    for claim in done.claims:
        if step.hidden:
            yield CheckFinished(host, step.label, claim.passed, _HIDDEN, _HIDDEN)
            continue
        expected, seen = from_home(claim.expected, home), from_home(claim.seen, home)
        yield CheckFinished(host, step.label, claim.passed, expected, seen)


def shown_error(step: Step, message: str, kind: str = "") -> Diagnostic:
    """What people are told of a failed step; with `no_log` only where it stands and of what kind the failure is."""
    if step.hidden:
        what = f"it failed: {kind}" if kind else "it failed"
        return Diagnostic(f"{what}; the rest is {_HIDDEN}", step.label.where)
    return step.error or diagnostic(message or "the task failed", step.label.where)


def _kind_of_failure(step: Step, progress: Progress | None) -> str:
    """Of what kind a failure is, in words that hold nothing of the task's values."""
    if progress and progress.runs and progress.runs[-1].status:
        return f"a program ended with status {progress.runs[-1].status}"
    if progress and progress.failure:
        return "the host could not do it"
    if step.judgement.fails_when is not None:
        return "failed_when says so"
    return "it cannot be done on this host, or its arguments are wrong"


def _is_confidential(step: Step) -> bool:
    """Whether nothing of its programs' output has stayed on the host."""
    return any(isinstance(action, Run) and action.confidential for action in step.actions)


def _last_words(run: RunReply | None, failure: StepFailed | None) -> str:
    parts = []
    if run is not None:
        parts += [run.stdout.decode("utf-8", "replace"), run.stderr.decode("utf-8", "replace")]
    if failure is not None:
        parts.append(failure.output)
    lines = "\n".join(part.rstrip("\n") for part in parts if part.strip()).splitlines()
    return "\n".join(lines[-_SHOWN_LINES:])
