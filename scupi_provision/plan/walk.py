"""One pass over a play for one host: from what is settled and what has been read to the steps that come next.

A pass is pure. What has been settled on the host is remembered by step key (`Done`), so every pass walks the whole play
and arrives, with the right variables and notified handlers, at the first step that is still open.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from scupi_provision.errors import InputError
from scupi_provision.host.snapshot import Needs, NeedsReadingError
from scupi_provision.plan.company import AFTER
from scupi_provision.plan.course import Course
from scupi_provision.plan.delegation import HERE
from scupi_provision.plan.endings import PassEndsError, PlayEndsError, PlayFailedError, PlayLostError
from scupi_provision.plan.loop_rounds import loop_variables
from scupi_provision.plan.meeting import is_once, once, visiting
from scupi_provision.plan.meta import walk_meta
from scupi_provision.plan.models import SWITCH_KEY, Plan, StepKey
from scupi_provision.plan.switching import switch_step
from scupi_provision.plan.tags import TagSelection
from scupi_provision.plan.task_walk import broken, end_if_failed, skipped_before_loop, walk_task
from scupi_provision.playbook.models import Block, Include, Item, Task
from scupi_provision.playbook.templating import Templar
from scupi_provision.values import UnknownValueError

_END: StepKey = ("tasks~",)
"""The place after the last task of a play, where handlers run that nothing has flushed before."""


@dataclass
class Pass:
    """What one pass found: the plan, and what must be read before it can be used (nothing, when it is whole)."""

    plan: Plan
    needs: Needs


@dataclass
class Walk:
    """One pass over the items of a play.

    Attributes:
        course: What the pass has come to.
        tags: Which items take part.
        switches: Whether a staged generation is made current at the end.
    """

    course: Course
    tags: TagSelection = field(default_factory=TagSelection)
    switches: bool = True
    _flushes: int = 0

    def run(self, items: Sequence[Item]) -> Pass:
        """Walk `items`, then the handlers they notify, then the switch of the generation."""
        complete, failed = True, False
        course = self.course
        course.handlers.know(course.scope.play.handlers)
        try:
            self._items(items, ("tasks",))
            self._flush((*_END, "handlers"))
            course.view(HERE)  # what others have to do for this host is done before its generation is switched
        except PlayEndsError:
            pass
        except (PlayFailedError, PlayLostError):
            failed, complete = True, self._forced()
        except PassEndsError:
            complete = False
        if complete and not failed and self.switches:
            self._switch()
        if complete and not failed:
            course.company.at((*_END, AFTER), settled=course.is_settled)
        return Pass(Plan(tuple(course.steps), complete, failed, course.scope.learnt(), course.rest_s), course.needs)

    def _forced(self) -> bool:
        """`force_handlers`: what was notified runs on a host that has failed, too; False while it has to run."""
        flag = self.course.scope.play.force_handlers
        try:
            if flag is True or (flag and Templar(self.course.scope.magic).holds(flag)):
                self._flush((*_END, "handlers"))
        except (PlayFailedError, PlayEndsError, PlayLostError):
            return True
        except PassEndsError:
            return False
        return True

    # --- items ----------------------------------------------------------------------------------------------------

    def _items(self, items: Sequence[Item], key: StepKey) -> None:
        for index, item in enumerate(items):
            here = (*key, index)
            if isinstance(item, Block):
                self._block(item, here)
            elif not self.tags.selects(item.inherited.tags) or id(item.role) in self.course.ended_roles:
                continue
            else:
                with visiting(self.course, item, here):
                    self._item(item, here)

    def _item(self, item: Task | Include, key: StepKey) -> None:
        if isinstance(item, Task) and item.module == "meta":
            if walk_meta(self.course, item, key):
                self._flush((*key, "handlers"))
        elif is_once(self.course, item):
            once(self.course, item, key, lambda: self._own_item(item, key))
        else:
            self._own_item(item, key)

    def _own_item(self, item: Task | Include, key: StepKey) -> None:
        if isinstance(item, Include):
            self._include(item, key)
        else:
            walk_task(self.course, item, key)

    def _block(self, block: Block, key: StepKey) -> None:
        failed = False
        self.course.rescuers += bool(block.rescue)
        try:
            self._items(block.body, (*key, "block"))
        except PlayFailedError:
            failed = True
        finally:
            self.course.rescuers -= bool(block.rescue)
        if failed and block.rescue:
            try:
                self._items(block.rescue, (*key, "rescue"))
                failed = False
            except PlayFailedError:
                failed = True
        self._items(block.always, (*key, "always"))
        if failed:
            raise PlayFailedError

    # --- includes -------------------------------------------------------------------------------------------------

    def _include(self, include: Include, key: StepKey) -> None:
        course = self.course
        try:
            for number, local in enumerate(loop_variables(include, course.templar(include))):
                self._included(include, (*key, number), ChainMap(local, dict(course.local)))
        except (InputError, UnknownValueError) as error:
            if skipped_before_loop(course, include) is not None:
                return
            self._not_included(include, key, error)

    def _not_included(self, include: Include, key: StepKey, error: InputError | UnknownValueError) -> None:
        course = self.course
        if isinstance(error, InputError):
            end_if_failed(course, include, [broken(course, include, (*key, "loop"), error)])
        else:
            course.not_known(include, key, error.reason)

    def _included(self, include: Include, key: StepKey, local: Mapping[str, Any]) -> None:
        templar = self.course.scope.templar(include, local)
        doubt = ""
        try:
            if not all(templar.holds(condition) for condition in include.inherited.when):
                return
        except UnknownValueError as error:
            doubt = self.course.must_wait(error.reason)
        items = include.tasks(templar.text)
        for role in {id(role): role for item in items if (role := getattr(item, "role", None))}.values():
            self.course.handlers.know(role.handlers)
        with self.course.within(self.course.scope.below_extra(local), doubt):
            self._items(items, key)
        self.course.ended_roles.difference_update(id(item.role) for item in items if not isinstance(item, Block))

    # --- handlers, meta, generation -------------------------------------------------------------------------------

    def _flush(self, place: StepKey) -> None:
        """Run the notified handlers in the order of their definition, each once; `place` is where the play is then."""
        self._flushes += 1
        for index, handler, doubt in self.course.handlers.due():
            with self.course.within({}, doubt):
                self._handler(handler, ("handlers", self._flushes, index), (*place, index))

    def _handler(self, handler: Task | Include, key: StepKey, place: StepKey) -> None:
        course = self.course
        with visiting(course, handler, place):
            if is_once(course, handler):
                once(course, handler, place, lambda: self._own_item(handler, key))
            else:
                self._own_item(handler, key)

    def _switch(self) -> None:
        course = self.course
        if SWITCH_KEY in course.settled or course.needs:
            return
        try:
            step = switch_step(course.host)
        except NeedsReadingError as missing:
            course.needs.add(missing.needs)
            return
        if step is not None:
            course.steps.append(step)
