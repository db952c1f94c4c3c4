"""The `meta` actions: what ends a play, a batch or a role, and what makes hosts forget."""

from __future__ import annotations

from scupi_provision.errors import InputError
from scupi_provision.plan.company import AFTER
from scupi_provision.plan.course import Course
from scupi_provision.plan.endings import PlayEndsError
from scupi_provision.plan.meeting import meet
from scupi_provision.plan.models import StepKey
from scupi_provision.plan.task_walk import broken, end_if_failed
from scupi_provision.playbook.models import Task
from scupi_provision.source import diagnostic
from scupi_provision.values import UnknownValueError

_FOR_ALL = frozenset({"end_play", "end_batch", "clear_host_errors", "clear_facts", "refresh_inventory"})
"""Actions that the first host decides about for all, as in Ansible."""
_ENDINGS = frozenset({"end_play", "end_batch", "end_host"})


def walk_meta(course: Course, task: Task, key: StepKey) -> bool:
    """Take one meta action; returns whether the notified handlers are to be run now.

    Raises:
        PlayEndsError: The play ends here.
        PlayFailedError: Its conditions cannot be judged.
    """
    action = str(task.arguments.get("_raw", "")).strip()
    try:
        if not _is_taken(course, task, key, action):
            return False
        if action == "end_role":
            _end_role(course, task)
    except InputError as error:
        end_if_failed(course, task, [broken(course, task, key, error)])
        return False
    except UnknownValueError as error:
        course.not_known(task, key, error.reason)
        course.doubt = course.doubt or error.reason  # of everything that follows
        return False
    if action == "clear_facts":
        course.scope.forget_facts()
    if action in _ENDINGS:
        raise PlayEndsError
    return action == "flush_handlers"


def _is_taken(course: Course, task: Task, key: StepKey, action: str) -> bool:
    company = course.company
    if action not in _FOR_ALL:
        return _holds(course, task)
    if task.inherited.when:
        meet(course, key)
        if not company.leads(key):
            meet(course, (*key, AFTER))
            return company.ending(key) == action
    taken = _holds(course, task)
    if taken:
        company.ends(key, action)
    return taken


def _holds(course: Course, task: Task) -> bool:
    templar = course.templar(task)
    return all(templar.holds(condition) for condition in task.inherited.when)


def _end_role(course: Course, task: Task) -> None:
    if task.role is None:
        raise InputError.of([diagnostic("meta: end_role outside of a role", task.where)])
    course.ended_roles.add(id(task.role))
