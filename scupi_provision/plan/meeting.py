"""Where the hosts of a play meet: before what one does for all, and after what ends the play for all when it fails.

A pass never goes past a meeting with something still to be done before it: it ends, that is done, and the next pass
waits here for the others. Where something is still to be read, the pass goes on, and is made again in any case.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from scupi_provision.events import Outcome
from scupi_provision.modules.contract import Result
from scupi_provision.plan.company import AFTER
from scupi_provision.plan.course import Course
from scupi_provision.plan.endings import PassEndsError, PlayFailedError, PlayLostError
from scupi_provision.plan.models import Step, StepKey
from scupi_provision.playbook.models import Include, Task


@contextmanager
def visiting(course: Course, item: Task | Include, key: StepKey) -> Iterator[None]:
    """Around all that is done about `item`, which the other hosts know by the place `key`.

    Raises:
        PlayFailedError: The item failed, here or on another host so that the play ends for all.
        PassEndsError: Something has to be done, or the others have to be met, first.
    """
    course.company.at(key, settled=course.is_settled)
    if course.company.must_meet(key):
        meet(course, key)
    begun = len(course.steps)
    try:
        yield
    except PlayFailedError:
        _leave_if_wanting(course, begun)
        if isinstance(item, Task):
            course.company.has_failed(key, fatally=is_fatal(course, item) or is_once(course, item))
        raise
    except PassEndsError:
        _leave_if_wanting(course, begun)
        raise
    _leave_if_wanting(course, begun)
    if course.says(item, item.inherited.delegate_facts):
        _take_gifts(course, (*key, AFTER))
    if isinstance(item, Task) and (course.company.in_step or is_fatal(course, item)):
        after = (*key, AFTER)
        meet(course, after)
        if course.company.is_over(after):
            raise PlayFailedError


def _take_gifts(course: Course, key: StepKey) -> None:
    """Have what the item before this meeting has found for this host on others (`delegate_facts`)."""
    meet(course, key)
    for module, facts in course.company.given(key):
        course.scope.learn(module, facts)


def meet(course: Course, key: StepKey) -> None:
    """Wait for every other host to come as far as this.

    Raises:
        PassEndsError: Something has to be done, or looked at anew, first.
    """
    if course.needs:
        return
    if not course.is_settled or not course.company.meet(key):
        raise PassEndsError


def _leave_if_wanting(course: Course, begun: int) -> None:
    """An item that asked for what only a meeting can tell was planned on less than it needs: its steps go."""
    if course.company.wanted is not None:
        del course.steps[begun:]
        raise PassEndsError from None


def is_fatal(course: Course, item: Task | Include) -> bool:
    """Whether a failure of `item` on one host is one on all: `any_errors_fatal`."""
    return course.says(item, item.inherited.any_errors_fatal)


def once(course: Course, item: Task | Include, key: StepKey, walk: Callable[[], None]) -> None:
    """Do the item `key` on the first host that is still in the play, and let the others have what it left there.

    Raises:
        PlayLostError: It failed there.
    """
    meet(course, key)
    if course.company.leads(key):
        walk()
        return
    meet(course, (*key, AFTER))
    left = course.company.follow(key)
    if left is None:
        raise PlayLostError
    if isinstance(item, Task):  # what included tasks have left is the other host's own
        course.scope.dynamic.update(left)


def is_once(course: Course, item: Task | Include) -> bool:
    """Whether one host does `item` for all: `run_once`, or a module that is so by nature."""
    if isinstance(item, Task) and item.module in course.modules and course.modules[item.module].once:
        return True
    return course.says(item, item.inherited.run_once)


def joining(course: Course, task: Task, step: Step) -> Step:
    """The step of a task that adds to the inventory: whether that changes anything, the inventory tells."""
    joins = step.result.joins if step.result else None
    if joins is None or task.changed_when or step.outcome not in {Outcome.OK, Outcome.WOULD_CHANGE}:
        return step
    changes = course.company.judged(joins)
    result = replace(step.result or Result(), changed=changes)
    return replace(step, outcome=Outcome.WOULD_CHANGE if changes else Outcome.OK, result=result)
