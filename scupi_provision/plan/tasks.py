"""One round of one task to one step: render, type the arguments, let the module plan, judge what is known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from scupi_provision.errors import Diagnostic, InputError
from scupi_provision.events import Diff, Outcome, TaskLabel
from scupi_provision.host.record import TaskFailedError
from scupi_provision.host.view import HostView
from scupi_provision.modules.contract import ModuleArgs, Result
from scupi_provision.plan.arguments import module_arguments
from scupi_provision.plan.asynchronous import as_job
from scupi_provision.plan.judging import judged
from scupi_provision.plan.limits import limit_of, limited, throttle_of
from scupi_provision.plan.models import Judgement, Step, StepKey, TaskRound
from scupi_provision.plan.registering import skipped_by
from scupi_provision.plan.rounds import from_home, is_hidden
from scupi_provision.plan.secrecy import fit_to_show, kept_private, learn_arguments
from scupi_provision.playbook.arguments import parse_arguments
from scupi_provision.playbook.logins import NO_ROOT, NO_ROOT_HINT
from scupi_provision.playbook.models import Include, Task
from scupi_provision.playbook.templating import Templar
from scupi_provision.shell.actions import Action, Run
from scupi_provision.source import diagnostic
from scupi_provision.values import UnknownValue, UnknownValueError

_NOT_RUN = {
    "msg": "Command would have run if not in check mode",
    "rc": 0,
    "stdout": "",
    "stderr": "",
    "stdout_lines": [],
    "stderr_lines": [],
}
"""What ansible-core 2.19 registers of a program that check mode has kept from running."""


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
        step = _failed(this, str(failure), diagnostic(str(failure), this.task.where), host)
        return _judged_failure(judged(step, this))
    except InputError as error:
        return _judged_failure(_failed(this, error.diagnostic.summary, error.diagnostic, host))
    finally:
        host.rollback()  # nothing is left to drop when the step was planned to its end


def unknown_step(this: TaskRound, reason: str) -> Step:
    """The step of a task about which nothing can be said before `reason` is known."""
    message = f"known after apply: needs {reason}"
    hidden = is_hidden(this.task, this.templar)
    return Step(this.key, this.label, Outcome.UNKNOWN, message, module=this.module, hidden=hidden, on=this.on)


def broken_step(item: Task | Include, key: StepKey, templar: Templar, label: TaskLabel, error: InputError) -> Step:
    """The step of a task or an include whose keywords cannot be rendered."""
    flag = item.inherited.ignore_errors
    try:
        ignored = flag is not None and templar.agrees(flag)
    except (UnknownValueError, InputError):
        ignored = False
    return _judged_failure(
        Step(
            key,
            label,
            Outcome.FAILED,
            error.diagnostic.summary,
            result=_failure(error.diagnostic.summary),
            ignore_errors=ignored,
            hidden=is_hidden(item, templar),
            error=error.diagnostic,
        )
    )


def _planned(this: TaskRound, host: HostView) -> Step:
    task, templar = this.task, this.templar
    for condition in task.inherited.when:
        if not templar.holds(condition):
            host.commit()
            told = f"when: {condition} is false"
            return _step(this, Outcome.SKIPPED, message=told, result=skipped_by(condition))
    _stay_oneself(this)
    environment, simulated = _environment(this), _flag(templar, task.inherited.check_mode)
    args = _arguments(this)
    result = this.module.plan(args, host)
    diffs = fit_to_show((*host.record.diffs, *result.diffs), args)
    limit_s, throttle = limit_of(this), throttle_of(this)
    actions = limited(_with_environment(host.record.actions, environment), limit_s)
    step = _step(
        this,
        _outcome(result, host),
        message=_told(result, host),
        diffs=tuple(shortened(diff, host.home) for diff in diffs),
        actions=kept_private(actions, hidden=_flag(templar, task.inherited.no_log)),
        reads=dict(host.record.reads),
        names=dict(host.record.names),
        inspections=dict(host.record.inspections),
        result=result,
        args=args,
        record=host.record,
        limit_s=limit_s,
        throttle=throttle,
        is_real=task.inherited.check_mode is not None and not simulated,
    )
    step = judged(as_job(step, this, host.home), this)
    if simulated:
        return _judged_failure(_simulated(step))
    host.commit()
    return _judged_failure(step)


def _stay_oneself(this: TaskRound) -> None:
    """Refuse what a template of `become` asks for; the loader has refused the plain word."""
    if _flag(this.templar, this.task.inherited.become):
        raise InputError.of([diagnostic(NO_ROOT, this.task.where, hint=NO_ROOT_HINT)])


def _simulated(step: Step) -> Step:
    """As `check_mode: true` has it, in an apply too: said, not done. Programs are not run, as in Ansible."""
    planned = replace(step, actions=(), record=None, patience=None, judgement=Judgement())
    if any(isinstance(action, Run) for action in step.actions):
        message = "check_mode: a program is not run"
        result = Result(skipped=True, values={**_NOT_RUN, **_known(step)})
        return replace(planned, outcome=Outcome.SKIPPED, message=message, result=result, module=None)
    return replace(planned, result=replace(step.result or Result(), unprovable=True))


def _known(step: Step) -> dict[str, Any]:
    planned = step.result.values if step.result else {}
    return {name: value for name, value in planned.items() if not isinstance(value, UnknownValue)}


def _judged_failure(step: Step) -> Step:
    return replace(step, outcome=Outcome.IGNORED) if step.outcome is Outcome.FAILED and step.ignore_errors else step


def shortened(diff: Diff, home: str) -> Diff:
    """`diff` for people: paths below the home begin with `~/`."""
    return replace(diff, path=from_home(diff.path, home), summary=from_home(diff.summary, home))


def _arguments(this: TaskRound) -> ModuleArgs:
    values = module_arguments(this.module, this.task, this.templar)
    args = parse_arguments(this.module, values, where=this.task.where, positions=this.task.argument_positions)
    learn_arguments(args)
    return args


def _outcome(result: Result, host: HostView) -> Outcome:
    if result.failed:
        return Outcome.FAILED
    if result.skipped:
        return Outcome.SKIPPED
    if result.undecided and host.check_mode:
        return Outcome.UNKNOWN
    return Outcome.WOULD_CHANGE if result.changed else Outcome.OK


def _told(result: Result, host: HostView) -> str:
    return f"known after apply: needs {result.undecided}" if result.undecided and host.check_mode else result.message


def _step(this: TaskRound, outcome: Outcome, **more: Any) -> Step:
    inherited, templar = this.task.inherited, this.templar
    hidden = _flag(templar, inherited.no_log)
    if hidden:
        more["diffs"] = ()
    elif inherited.diff is not None and not templar.agrees(inherited.diff):
        more["diffs"] = tuple(replace(diff, before=None, after=None) for diff in more.get("diffs", ()))
    return Step(
        key=this.key,
        label=this.label,
        outcome=outcome,
        module=this.module,
        register=this.task.register,
        on=this.on,
        notify=notified(this.task, templar),
        ignore_errors=_flag(templar, inherited.ignore_errors),
        hidden=hidden,
        **more,
    )


def notified(task: Task, templar: Templar) -> tuple[str, ...]:
    """The handlers that a change of `task` notifies, by name or by what they listen to."""
    return tuple(templar.text(name) for name in task.notify)


def _flag(templar: Templar, value: Any) -> bool:
    return value is not None and templar.agrees(value)


def _failed(this: TaskRound, message: str, error: Diagnostic, host: HostView) -> Step:
    """A step that cannot succeed on the host as it was read; what was read decides whether that still holds."""
    seen = {
        "reads": dict(host.record.reads),
        "names": dict(host.record.names),
        "inspections": dict(host.record.inspections),
    }
    return _step(this, Outcome.FAILED, message=message, error=error, result=_failure(message), **seen)


def _failure(message: str) -> Result:
    return Result(failed=True, message=message, values={"msg": message})


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
