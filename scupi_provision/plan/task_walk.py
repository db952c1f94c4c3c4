"""One task of a play during a pass: every round of its loop settled, planned or put off, and what it registers."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from scupi_provision.errors import InputError
from scupi_provision.events import Outcome
from scupi_provision.host.snapshot import NeedsReadingError
from scupi_provision.plan.course import FAILURES, Course
from scupi_provision.plan.endings import PassEndsError, PlayFailedError
from scupi_provision.plan.models import Done, Step, StepKey, TaskRound
from scupi_provision.plan.rounds import Round, loop_variables, registered
from scupi_provision.plan.tasks import (
    UNTOLD,
    broken_step,
    notified,
    plan_round,
    planned_values,
    unknown_step,
)
from scupi_provision.playbook.models import Include, Task
from scupi_provision.playbook.templating import Templar
from scupi_provision.values import UnknownValue, UnknownValueError


def walk_task(course: Course, task: Task, key: StepKey) -> None:
    """Take the steps of `task` into the course.

    Raises:
        PlayFailedError: It failed, and its errors are not ignored.
        PassEndsError: It has to run before more can be planned.
    """
    rounds: list[tuple[Round, Mapping[str, Any]]] = []
    try:
        for number, local in enumerate(loop_variables(task, course.templar(task))):
            rounds.append((_round(course, task, (*key, number), ChainMap(local, dict(course.local))), local))
    except InputError as error:  # the loop or a keyword cannot be rendered
        rounds.append((broken(course, task, (*key, "loop"), error), {}))
    except UnknownValueError as error:
        course.not_known(task, key, error.reason)
        rounds.append((Round(Outcome.UNKNOWN, unknown=error.reason), {}))
    if task.register:
        course.scope.dynamic[task.register] = registered(task, rounds)
    end_if_failed(course, task, [done for done, _ in rounds])


def end_if_failed(course: Course, item: Task | Include, rounds: Sequence[Round]) -> None:
    """Leave the block (or the play) when one of the rounds has failed."""
    failed = next((done for done in rounds if done.fails), None)
    if failed is None or course.needs or course.keeps_going:
        return
    if course.stops and course.steps:  # later items of the loop come before the rescue
        raise PassEndsError
    label = course.name(item)  # what a `rescue` may ask
    course.scope.dynamic["ansible_failed_task"] = {"name": label.name, "action": label.module}
    course.scope.dynamic["ansible_failed_result"] = dict(failed.values)
    raise PlayFailedError


def broken(course: Course, item: Task | Include, key: StepKey, error: InputError) -> Round:
    """An item whose keywords cannot be rendered."""
    done = course.settled.get(key)
    if done is not None:
        return Round(done.outcome, done.values, done.outcome in FAILURES)
    step = broken_step(item, key, course.templar(item), course.name(item), error)
    course.take(step)
    return Round(step.outcome, planned_values(step), step.outcome in FAILURES)


def _round(course: Course, task: Task, key: StepKey, local: Mapping[str, Any]) -> Round:
    templar = course.scope.templar(task, local)
    done = course.settled.get(key)
    if done is not None:
        return _settled(course, task, templar, done)
    return _open(course, TaskRound(key, task, course.modules[task.module], templar, course.label(task, templar)))


def _settled(course: Course, task: Task, templar: Templar, done: Done) -> Round:
    course.scope.dynamic.update(done.facts)
    course.host.generation = done.generation or course.host.generation
    if done.outcome is Outcome.CHANGED:
        course.handlers.notify(notified(task, templar))
    return Round(done.outcome, done.values, done.outcome in FAILURES)


def _open(course: Course, this: TaskRound) -> Round:
    try:
        step = unknown_step(this, course.doubt) if course.doubt else plan_round(this, course.host)
    except NeedsReadingError as missing:
        course.needs.add(missing.needs)
        return _unknown(course, this, "what is being read")
    except UnknownValueError as error:
        step = unknown_step(this, course.must_wait(error.reason))
    # A failure that rests on nothing that was read (`fail`, a false `assert`) comes whatever a program does.
    if step.outcome in FAILURES and step.reads and course.anything_may_change and not course.stops:
        step = unknown_step(this, f"what a program does before ({step.message})")
    return _taken(course, this, step)


def _taken(course: Course, this: TaskRound, step: Step) -> Round:
    course.take(step)
    if step.outcome is Outcome.UNKNOWN:
        return _unknown(course, this, UNTOLD if step.hidden else step.message.partition(": needs ")[2])
    if step.outcome is Outcome.WOULD_CHANGE:
        course.handlers.notify(step.notify)
    course.scope.dynamic.update(step.result.facts if step.result else {})
    return Round(step.outcome, planned_values(step), step.outcome in FAILURES)


def _unknown(course: Course, this: TaskRound, reason: str) -> Round:
    if this.task.module == "set_fact":
        course.scope.dynamic.update(dict.fromkeys(this.task.arguments, UnknownValue(reason)))
    with suppress(UnknownValueError, InputError):  # the names themselves are not known yet
        course.handlers.perhaps_notify(notified(this.task, this.templar), reason)
    return Round(Outcome.UNKNOWN, unknown=reason)
