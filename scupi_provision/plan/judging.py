"""How a task's result is judged when the task says so itself: changed_when, failed_when and until."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from scupi_provision.errors import InputError
from scupi_provision.events import Outcome
from scupi_provision.plan.models import Judgement, Patience, Step, TaskRound
from scupi_provision.shell.actions import Run
from scupi_provision.source import diagnostic
from scupi_provision.values import UnknownValueError

_DEFAULT_RETRIES = 3
_JUDGED = frozenset({Outcome.OK, Outcome.WOULD_CHANGE, Outcome.UNKNOWN})
"""Outcomes over which `changed_when` has the last word (unknown: the module's own is known after apply)."""

Condition = Callable[[Mapping[str, Any]], bool]


def judged(step: Step, this: TaskRound) -> Step:
    """`step` with the task's own judgement: made now when it can be, else kept for when its programs have ended."""
    step = _with_patience(step, this)
    task, planned = this.task, step.result
    if not (task.failed_when or task.changed_when) or planned is None:
        return step
    judgement = Judgement(
        fails_when=_condition(this, task.failed_when) if task.failed_when else None,
        changes_when=_condition(this, task.changed_when) if task.changed_when else None,
    )
    runs = any(isinstance(action, Run) for action in step.actions)
    values = {"changed": planned.changed, "failed": planned.failed, **planned.values}
    outcome, pending = step.outcome, judgement
    try:
        if judgement.changes_when is not None and outcome in _JUDGED:
            outcome = Outcome.WOULD_CHANGE if judgement.changes_when(values) else Outcome.OK
            pending = replace(pending, changes_when=None)
        if judgement.fails_when is not None and not runs:
            outcome = Outcome.FAILED if judgement.fails_when(values) else _unfailed(outcome)
            pending = replace(pending, fails_when=None)
    except UnknownValueError:
        if not runs:
            raise
    if pending.fails_when is not None:
        step = _judged_here(step)
    undecided = "" if task.changed_when and pending.changes_when is None else planned.undecided
    result = replace(planned, changed=outcome is Outcome.WOULD_CHANGE, undecided=undecided)
    return replace(step, outcome=outcome, judgement=pending, result=result)


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
    def holds(values: Mapping[str, Any]) -> bool:
        named = {this.task.register: dict(values)} if this.task.register else {}
        return this.templar.with_variables(named).holds(conditions)

    return holds
