"""One round of one task to one step: render, type the arguments, let the module plan, judge what is known."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from scupi_provision.errors import Diagnostic, InputError
from scupi_provision.events import Diff, Outcome, TaskLabel
from scupi_provision.host.record import TaskFailedError
from scupi_provision.host.view import HostView
from scupi_provision.modules.contract import Module, ModuleArgs, Result
from scupi_provision.plan.arguments import module_arguments
from scupi_provision.plan.models import Judgement, Step, StepKey
from scupi_provision.playbook.arguments import parse_arguments
from scupi_provision.playbook.models import Task
from scupi_provision.playbook.templating import Templar
from scupi_provision.shell.actions import Action, Run
from scupi_provision.source import diagnostic
from scupi_provision.values import UnknownValueError


@dataclass(frozen=True)
class TaskRound:
    """One task with the variables of one round: everything that planning it needs."""

    key: StepKey
    task: Task
    module: Module
    templar: Templar
    label: TaskLabel


def plan_round(this: TaskRound, host: HostView) -> Step:
    """What the task would do.

    Raises:
        NeedsReadingError: Something has to be read from the host first.
        UnknownValueError: It depends on the output of a program that has not run.
    """
    host.begin(str(this.label))
    try:
        return _planned(this, host)
    except TaskFailedError as failure:
        host.rollback()
        return _failed(this, str(failure), diagnostic(str(failure), this.task.where))
    except InputError as error:
        host.rollback()
        return _failed(this, error.diagnostic.summary, error.diagnostic)
    except BaseException:
        host.rollback()
        raise


def unknown_step(this: TaskRound, reason: str) -> Step:
    """The step of a task about which nothing can be said before `reason` is known."""
    return _step(this, Outcome.UNKNOWN, message=f"known after apply: needs {reason}")


def _planned(this: TaskRound, host: HostView) -> Step:
    task, templar = this.task, this.templar
    for condition in task.inherited.when:
        if not templar.holds(condition):
            host.commit()
            return _step(this, Outcome.SKIPPED, message=f"when: {condition} is false")
    args = _arguments(this)
    result = this.module.plan(args, host)
    record = host.commit()
    record.actions[:] = _with_environment(record.actions, _environment(this))
    step = _step(
        this,
        _outcome(result),
        message=result.message,
        diffs=tuple(_shortened(diff, host.home) for diff in (*record.diffs, *result.diffs)),
        actions=tuple(record.actions),
        reads=dict(record.reads),
        result=result,
        args=args,
        record=record,
    )
    return _judged(step, this)


def from_home(text: str, home: str) -> str:
    """`text` for people: paths below the home begin with `~/`."""
    return text.replace(f"{home}/", "~/") if len(home) > 1 else text


def _shortened(diff: Diff, home: str) -> Diff:
    return replace(diff, path=from_home(diff.path, home), summary=from_home(diff.summary, home))


def _arguments(this: TaskRound) -> ModuleArgs:
    values = module_arguments(this.module, this.task, this.templar)
    return parse_arguments(this.module, values, where=this.task.where, positions=this.task.argument_positions)


def _outcome(result: Result) -> Outcome:
    if result.failed:
        return Outcome.FAILED
    if result.skipped:
        return Outcome.SKIPPED
    return Outcome.WOULD_CHANGE if result.changed else Outcome.OK


def _step(this: TaskRound, outcome: Outcome, **more: Any) -> Step:
    task, templar = this.task, this.templar
    hidden = _flag(templar, task.inherited.no_log)
    if hidden:
        more["diffs"] = ()
    return Step(
        key=this.key,
        label=this.label,
        outcome=outcome,
        module=this.module,
        register=task.register,
        notify=_notified(this),
        ignore_errors=_flag(templar, task.inherited.ignore_errors),
        hidden=hidden,
        **more,
    )


def _notified(this: TaskRound) -> tuple[str, ...]:
    return tuple(this.templar.text(name) for name in this.task.notify)


def _flag(templar: Templar, value: Any) -> bool:
    return value is not None and templar.holds(value)


def _failed(this: TaskRound, message: str, error: Diagnostic) -> Step:
    return replace(
        _step(this, Outcome.FAILED, message=message, error=error),
        result=Result(failed=True, message=message, values={"msg": message}),
    )


def _environment(this: TaskRound) -> dict[str, str]:
    merged: dict[str, str] = {}
    for mapping in this.task.inherited.environment:
        rendered = this.templar.render(mapping)
        merged.update({str(name): str(value) for name, value in rendered.items()})
    return merged


def _with_environment(actions: list[Action], environment: Mapping[str, str]) -> list[Action]:
    if not environment:
        return actions
    ours = tuple(environment.items())
    return [replace(a, environment=ours + a.environment) if isinstance(a, Run) else a for a in actions]


# --- failed_when and changed_when -------------------------------------------------------------------------------------


def _judged(step: Step, this: TaskRound) -> Step:
    """Apply the task's own judgement now when it can be told already, else keep it for when the program has ended."""
    task = this.task
    if not (task.failed_when or task.changed_when) or step.result is None:
        return step
    judgement = Judgement(
        fails_when=_condition(this, task.failed_when) if task.failed_when else None,
        changes_when=_condition(this, task.changed_when) if task.changed_when else None,
    )
    runs = any(isinstance(action, Run) for action in step.actions)
    values = {"changed": step.result.changed, "failed": step.result.failed, **step.result.values}
    outcome, pending = step.outcome, replace(judgement)
    try:
        if judgement.changes_when is not None and outcome in {Outcome.OK, Outcome.WOULD_CHANGE}:
            outcome = Outcome.WOULD_CHANGE if judgement.changes_when(values) else Outcome.OK
            pending = replace(pending, changes_when=None)
        if judgement.fails_when is not None and not runs:
            outcome = Outcome.FAILED if judgement.fails_when(values) else _unfailed(outcome)
            pending = replace(pending, fails_when=None)
    except UnknownValueError:
        if not runs:
            raise
    changed = outcome is Outcome.WOULD_CHANGE
    if pending.fails_when is not None:  # the task judges the exit status, not the host
        actions = tuple(replace(a, fails_when_nonzero=False) if isinstance(a, Run) else a for a in step.actions)
        step = replace(step, actions=actions)
    result = replace(step.result, changed=changed) if step.result else None
    return replace(step, outcome=outcome, judgement=pending, result=result)


def _unfailed(outcome: Outcome) -> Outcome:
    return Outcome.OK if outcome is Outcome.FAILED else outcome


def _condition(this: TaskRound, conditions: tuple[Any, ...]) -> Callable[[Mapping[str, Any]], bool]:
    def holds(values: Mapping[str, Any]) -> bool:
        named = {this.task.register: dict(values)} if this.task.register else {}
        return this.templar.with_variables(named).holds(conditions)

    return holds


def planned_values(step: Step) -> dict[str, Any]:
    """What `register` gets from a step that has not run, or need not run."""
    values: dict[str, Any] = dict(step.result.values) if step.result else {}
    values["changed"] = step.outcome is Outcome.WOULD_CHANGE
    values["failed"] = step.outcome in {Outcome.FAILED, Outcome.RESCUED}
    if step.outcome is Outcome.SKIPPED:
        values |= {"skipped": True, "skip_reason": step.message}
    if step.message and "msg" not in values:
        values["msg"] = step.message
    return values
