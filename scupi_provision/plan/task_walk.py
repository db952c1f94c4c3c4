"""One task of a play during a pass: every round of its loop settled, planned or put off, and what it registers."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from scupi_provision.errors import InputError
from scupi_provision.events import Outcome
from scupi_provision.host.snapshot import NeedsReadingError
from scupi_provision.modules.contract import Result
from scupi_provision.plan.course import FAILURES, Course
from scupi_provision.plan.delegation import HERE
from scupi_provision.plan.endings import PassEndsError, PlayFailedError
from scupi_provision.plan.loop_rounds import loop_variables, pause_s
from scupi_provision.plan.meeting import joining
from scupi_provision.plan.models import Done, Step, StepKey, TaskRound
from scupi_provision.plan.registering import (
    NO_ITEMS,
    UNTOLD,
    failed_task,
    of_round,
    planned_values,
    registered,
    skipped_by,
)
from scupi_provision.plan.rounds import Round, is_hidden
from scupi_provision.plan.tasks import broken_step, notified, plan_round, unknown_step
from scupi_provision.playbook.models import Include, Task
from scupi_provision.playbook.templating import OMIT, Templar
from scupi_provision.source import diagnostic
from scupi_provision.values import UnknownValue, UnknownValueError

Rounds = list[tuple[Round, Mapping[str, Any]]]
"""What is known of each round, with the variables of its loop (none: the loop was not even begun)."""


def walk_task(course: Course, task: Task, key: StepKey) -> None:
    """Take the steps of `task` into the course.

    Raises:
        PlayFailedError: It failed, and its errors are not ignored.
        PassEndsError: It has to run before more can be planned.
    """
    rounds: Rounds = []
    try:
        for done, local in _rounds(course, task, key):
            rounds.append((done, local))
    except InputError as error:  # the loop or a keyword cannot be rendered
        rounds.append((broken(course, task, (*key, "loop"), error), {}))
    except UnknownValueError as error:
        course.not_known(task, key, error.reason)
        rounds.append((_unknown(course, task, course.templar(task), error.reason), {}))
    result = registered(task, rounds)
    if task.register:
        course.scope.dynamic[task.register] = result
    end_if_failed(course, task, [done for done, _ in rounds], result)


def end_if_failed(course: Course, item: Task | Include, rounds: Sequence[Round], result: Any = None) -> None:
    """Leave the block (or the play) when one of the rounds has failed; `result` is what all of them registered."""
    failed = next((done for done in rounds if done.fails), None)
    if failed is None or course.needs or course.keeps_going:
        return
    if course.stops and course.steps:  # later items of the loop come before the rescue
        raise PassEndsError
    label = course.name(item)
    course.scope.dynamic["ansible_failed_task"] = failed_task(item, label.name, label.module)
    course.scope.dynamic["ansible_failed_result"] = dict(failed.values) if result is None else result
    raise PlayFailedError


def broken(course: Course, item: Task | Include, key: StepKey, error: InputError) -> Round:
    """An item whose keywords cannot be rendered."""
    done = course.settled.get(key)
    if done is not None:
        return Round(done.outcome, done.values, done.outcome in FAILURES)
    step = broken_step(item, key, course.templar(item), course.name(item), error)
    course.take(step)
    return Round(step.outcome, planned_values(step), step.outcome in FAILURES)


def skipped_before_loop(course: Course, item: Task | Include) -> Any:
    """The first condition of `item` that certainly does not hold, whatever its loop is; None when there is none.

    As in Ansible, a task may be skipped for the very reason that there is nothing to loop over.
    """
    templar = course.templar(item)
    with suppress(InputError, UnknownValueError):  # it is about the items, or counts when the loop is known
        return next((condition for condition in item.inherited.when if not templar.holds(condition)), None)
    return None


# --- rounds -----------------------------------------------------------------------------------------------------------


def _rounds(course: Course, task: Task, key: StepKey) -> Iterator[tuple[Round, Mapping[str, Any]]]:
    """Every round, up to the one after which `break_when` holds."""
    try:
        found = loop_variables(task, course.templar(task))
    except (InputError, UnknownValueError):
        condition = skipped_before_loop(course, task)
        if condition is None:
            raise
        yield _skipped(course, task, key, f"when: {condition} is false", skipped_by(condition)), {}
        return
    if not found:
        yield _skipped(course, task, key, "the loop has no items", NO_ITEMS), {}
    rest_s = pause_s(task, course.templar(task)) if len(found) > 1 else 0.0
    doubt = ""
    for number, local in enumerate(found):
        seen = ChainMap(local, dict(course.local))
        with course.within(course.local, doubt):
            done = _round(course, task, (*key, number), seen, rest_s if number else 0.0)
        yield done, local
        if task.register and task.loop:
            course.scope.dynamic[task.register] = of_round(task, done, local)
        try:
            if _breaks(course, task, seen):
                return
        except UnknownValueError as error:
            doubt = course.must_wait(error.reason)


def _breaks(course: Course, task: Task, local: Mapping[str, Any]) -> bool:
    if task.loop is None or not task.loop.break_when:
        return False
    return course.scope.templar(task, local).holds(task.loop.break_when)


def _round(course: Course, task: Task, key: StepKey, local: Mapping[str, Any], rest_s: float) -> Round:
    templar = course.scope.templar(task, local)
    done = course.settled.get(key)
    if done is not None:
        return _settled(course, task, templar, done)
    course.rest(rest_s)
    return _open(course, TaskRound(key, task, course.modules[task.module], templar, course.label(task, templar)))


def _skipped(course: Course, task: Task, key: StepKey, message: str, result: Any) -> Round:
    """The whole task is skipped before its loop begins."""
    here = (*key, "loop")
    done = course.settled.get(here)
    if done is not None:
        return Round(done.outcome, done.values)
    hidden = is_hidden(task, course.templar(task))
    step = Step(here, course.name(task), Outcome.SKIPPED, message, result=result, hidden=hidden)
    course.take(step)
    return Round(step.outcome, planned_values(step))


def _settled(course: Course, task: Task, templar: Templar, done: Done) -> Round:
    _learn(course, task, templar, done.facts)
    course.host.generation = done.generation or course.host.generation
    if done.outcome is Outcome.CHANGED:
        course.handlers.notify(notified(task, templar))
    if done.joins is not None:
        course.company.joined(done.joins)
    return Round(done.outcome, done.values, done.outcome in FAILURES)


def _open(course: Course, this: TaskRound) -> Round:
    try:
        this = replace(this, on=_delegate(course, this.task, this.templar))
        step = unknown_step(this, course.doubt) if course.doubt else plan_round(this, course.view(this.on))
    except NeedsReadingError as missing:
        course.need(missing.needs, this.on)
        return _unknown(course, this.task, this.templar, "what is being read")
    except UnknownValueError as error:
        step = unknown_step(this, course.must_wait(error.reason))
    # A failure that rests on nothing that was read (`fail`, a false `assert`) comes whatever a program does.
    if step.outcome in FAILURES and step.reads and course.anything_may_change and not course.stops:
        step = unknown_step(this, f"what a program does before ({step.message})")
    return _taken(course, this, joining(course, this.task, step))


def _learn(course: Course, task: Task, templar: Templar, facts: Mapping[str, Any]) -> None:
    """Keep facts with the host of the play, or with `delegate_facts` with the host that has done the task."""
    is_given = facts and course.says(task, task.inherited.delegate_facts)
    asked = _asked_to(task, templar) if is_given else ""
    owner = course.delegates.owner(asked, task.where) if asked else HERE
    if owner == HERE:
        course.scope.learn(task.module, facts)
    else:
        course.company.gives(owner, task.module, facts)


def _asked_to(task: Task, templar: Templar) -> str:
    """What `delegate_to` of a round of `task` names; "" when it names nobody."""
    asked = task.inherited.delegate_to
    name = templar.render(asked) if asked is not None else OMIT
    if name is OMIT or name is None:
        return ""
    if not isinstance(name, str) or not name.strip():
        raise InputError.of([diagnostic("delegate_to needs the name of a host", task.where)])
    return str(name).strip()


def _delegate(course: Course, task: Task, templar: Templar) -> str:
    """The host that does a round of `task`."""
    asked = _asked_to(task, templar)
    if not asked:
        return HERE
    on = course.delegates.named(asked, task.where)
    refusal = course.delegates.refusal(on)
    if refusal is not None:
        raise InputError.of([refusal])
    return on


def _taken(course: Course, this: TaskRound, step: Step) -> Round:
    step = course.take(step)
    if step.outcome is Outcome.UNKNOWN:
        reason = UNTOLD if step.hidden else step.message.partition(": needs ")[2]
        return _unknown(course, this.task, this.templar, reason)
    if step.outcome is Outcome.WOULD_CHANGE:
        course.handlers.notify(step.notify)
    result = step.result or Result()
    _learn(course, this.task, this.templar, result.facts)
    if result.joins is not None:
        course.company.joined(result.joins)
    return Round(step.outcome, planned_values(step), step.outcome in FAILURES, unknown=result.untold)


def _unknown(course: Course, task: Task, templar: Templar, reason: str) -> Round:
    with suppress(UnknownValueError, InputError):  # whose they are, or the names themselves, are not known yet
        if task.module == "set_fact":
            _learn(course, task, templar, dict.fromkeys(task.arguments, UnknownValue(reason)))
        course.handlers.perhaps_notify(notified(task, templar), reason)
    return Round(Outcome.UNKNOWN, unknown=reason)
