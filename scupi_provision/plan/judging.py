"""How a task's result is judged when the task says so itself: changed_when, failed_when and until."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from scupi_provision.errors import InputError
from scupi_provision.events import Outcome
from scupi_provision.modules.contract import Result
from scupi_provision.plan.models import Judgement, Patience, Step, TaskRound
from scupi_provision.shell.actions import Run
from scupi_provision.source import diagnostic
from scupi_provision.values import UnknownValue, UnknownValueError

_DEFAULT_RETRIES = 3
_JUDGED = frozenset({Outcome.OK, Outcome.WOULD_CHANGE, Outcome.UNKNOWN})
"""Outcomes over which `changed_when` has the last word (unknown: the module's own is known after apply)."""

Condition = Callable[[Mapping[str, Any]], bool]


def judged(step: Step, this: TaskRound) -> Step:
    """`step` with the task's own judgement: made now when it can be, else kept for when its programs have ended."""
    step = _with_patience(step, this)
    task, planned = this.task, step.result
    if planned is None or step.outcome is Outcome.SKIPPED:  # what was skipped is not judged
        return replace(step, patience=None)
    if task.failed_when or task.changed_when:
        judgement = Judgement(
            fails_when=_condition(this, task.failed_when) if task.failed_when else None,
            changes_when=_condition(this, task.changed_when) if task.changed_when else None,
        )
        step = _judged_now(step, planned, judgement)
    return _waited_for(step)


def _judged_now(step: Step, planned: Result, judgement: Judgement) -> Step:
    """What can be judged before anything has run is."""
    runs = _runs(step)
    values = {**planned.values, "changed": planned.changed, "failed": planned.failed}
    known = UnknownValue(planned.untold) if planned.untold else values
    outcome, pending = step.outcome, judgement
    try:
        if judgement.changes_when is not None and outcome in _JUDGED:
            values["changed"] = judgement.changes_when(known)
            outcome = Outcome.WOULD_CHANGE if values["changed"] else Outcome.OK
            pending = replace(pending, changes_when=None)
        if judgement.fails_when is not None and not runs:
            values["failed"] = values["failed_when_result"] = judgement.fails_when(values)
            outcome = Outcome.FAILED if values["failed"] else _unfailed(outcome)
            pending = replace(pending, fails_when=None)
    except UnknownValueError:
        if not runs:
            raise
    if pending.fails_when is not None:
        step = _judged_here(step)
    undecided = "" if judgement.changes_when is not None and pending.changes_when is None else planned.undecided
    told = {name: values[name] for name in (*planned.values, "failed_when_result") if name in values}
    changed = outcome is Outcome.WOULD_CHANGE or bool(values["changed"])
    # A change that only the task itself speaks of is there at every look: no plan can show that it is needless.
    unprovable = planned.unprovable or (changed and not planned.changed)
    result = replace(planned, changed=changed, failed=outcome is Outcome.FAILED, undecided=undecided, values=told)
    result = replace(result, unprovable=unprovable)
    return replace(step, outcome=outcome, judgement=pending, result=result)


def judged_afterwards(judgement: Judgement, values: Mapping[str, Any]) -> dict[str, Any]:
    """`values` of what has run, with `changed` and `failed` as the task itself has them."""
    told = dict(values)
    if judgement.changes_when is not None:
        told["changed"] = judgement.changes_when(told)
    if judgement.fails_when is not None:
        told["failed"] = told["failed_when_result"] = judgement.fails_when(told)
    return told


def _waited_for(step: Step) -> Step:
    """`until` of what rests on nothing on the host holds at once; of anything else it is judged when it is settled."""
    return step if step.reads or step.names or step.actions else _held(step) or step


def _held(step: Step) -> Step | None:
    """`step` as it is when `until` holds the first time; None when it does not, or only a run can tell."""
    if step.patience is None or step.result is None:
        return step
    values = {**step.result.values, "changed": step.outcome is Outcome.WOULD_CHANGE}
    values |= {"failed": step.outcome is Outcome.FAILED, "attempts": 1}
    try:
        if not step.patience.holds(values):
            return None
    except UnknownValueError:
        return None
    return replace(step, patience=None, result=replace(step.result, values={**step.result.values, "attempts": 1}))


def without_patience(step: Step) -> Step:
    """What a check says of a step that would be done again and again.

    What rests on nothing on the host comes out the same each time; of anything else, who knows.
    """
    if step.patience is None or _runs(step):
        return step
    held = _held(step)
    if held is not None:
        return held
    if step.reads or step.names or step.actions:
        message = "known after apply: needs what `until` waits for"
        return replace(step, outcome=Outcome.UNKNOWN, message=message, patience=None)
    failed = Outcome.IGNORED if step.ignore_errors else Outcome.FAILED
    planned = step.result or Result()
    values = {**planned.values, "attempts": step.patience.retries}
    result = replace(planned, failed=True, values=values)
    return replace(step, outcome=failed, message="until does not hold", patience=None, result=result)


def _runs(step: Step) -> bool:
    return any(isinstance(action, Run) for action in step.actions)


def _with_patience(step: Step, this: TaskRound) -> Step:
    task = this.task
    if not task.until and task.retries is None:
        return step
    # Without `until`, retries alone mean "until it succeeds" (ansible-core 2.16).
    holds = _condition(this, task.until) if task.until else lambda values: not values.get("failed")
    retries = _DEFAULT_RETRIES if task.retries is None else _number(task.retries, this)
    if retries <= 0:
        return step
    patience = Patience(holds, retries, max(_number(task.delay, this), 0))
    return replace(_judged_here(step), patience=patience)


def _judged_here(step: Step) -> Step:
    """The task judges the exit status, not the host."""
    actions = tuple(replace(a, fails_when_nonzero=False) if isinstance(a, Run) else a for a in step.actions)
    return replace(step, actions=actions)


def _number(value: Any, this: TaskRound) -> int:
    rendered = this.templar.render(value)
    try:
        return int(rendered)
    except (TypeError, ValueError):
        summary = f"retries and delay are whole numbers, this is {rendered!r}"
        raise InputError.of([diagnostic(summary, getattr(value, "position", this.task.where))]) from None


def _unfailed(outcome: Outcome) -> Outcome:
    return Outcome.OK if outcome is Outcome.FAILED else outcome


def _condition(this: TaskRound, conditions: tuple[Any, ...]) -> Condition:
    def holds(values: Mapping[str, Any] | UnknownValue) -> bool:
        told = values if isinstance(values, UnknownValue) else dict(values)
        named = {this.task.register: told} if this.task.register else {}
        return this.templar.with_variables(named).holds(conditions)

    return holds
