"""One pass over a play for one host: from what is settled and what has been read to the steps that come next.

A pass is pure. What has been settled on the host is remembered by step key (`Done`), so every pass walks the whole play
and arrives, with the right variables and notified handlers, at the first step that is still open.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Any

from scupi_provision.errors import InputError
from scupi_provision.events import Outcome, TaskLabel
from scupi_provision.host import generation
from scupi_provision.host.snapshot import Needs, NeedsReadingError
from scupi_provision.host.view import HostView
from scupi_provision.modules.contract import Module, Result
from scupi_provision.plan.models import SWITCH_KEY, Done, Plan, Step, StepKey, TaskRound
from scupi_provision.plan.rounds import Round, loop_variables, registered, task_label
from scupi_provision.plan.scope import PlayScope
from scupi_provision.plan.tags import TagSelection
from scupi_provision.plan.tasks import (
    UNTOLD,
    broken_step,
    notified,
    plan_round,
    planned_values,
    shortened,
    unknown_step,
)
from scupi_provision.playbook.models import Block, Include, Item, Task
from scupi_provision.playbook.templating import Templar
from scupi_provision.shell.actions import Run
from scupi_provision.values import UnknownValue, UnknownValueError

_FAILURES = frozenset({Outcome.FAILED, Outcome.RESCUED})


class _PlayFailedError(Exception):
    """A task failed and nobody rescues it."""


class _PlayEndsError(Exception):
    """`meta: end_play` or `end_host`."""


class _PassEndsError(Exception):
    """Something has to happen on the host before more can be planned."""


@dataclass
class Pass:
    """What one pass found: the plan, and what must be read before it can be used (nothing, when it is whole)."""

    plan: Plan
    needs: Needs


@dataclass
class Walk:
    """One pass over the items of a play.

    Attributes:
        stops: Whether the pass ends where a program has to run first (apply); a check goes on and says so.
        switches: Whether a staged generation is made current at the end.
        keeps_going: Whether a failed task is followed by the next (verification reports every check).
    """

    scope: PlayScope
    host: HostView
    settled: Mapping[StepKey, Done]
    modules: Mapping[str, Module]
    tags: TagSelection = field(default_factory=TagSelection)
    stops: bool = True
    switches: bool = True
    keeps_going: bool = False
    _steps: list[Step] = field(default_factory=list)
    _needs: Needs = field(default_factory=Needs)
    _handlers: list[tuple[Task, set[str]]] = field(default_factory=list)
    _notified: set[int] = field(default_factory=set)
    _perhaps_notified: dict[int, str] = field(default_factory=dict)
    _flushes: int = 0
    _rescuers: int = 0
    _local: Mapping[str, Any] = field(default_factory=dict)
    _doubt: str = ""
    _anything_may_change: bool = False

    def run(self, items: Sequence[Item]) -> Pass:
        """Walk `items`, then the handlers they notify, then the switch of the generation."""
        complete, failed = True, False
        self._know(self.scope.play.handlers)
        try:
            self._items(items, ("tasks",))
            self._flush()
        except _PlayEndsError:
            pass
        except _PlayFailedError:
            failed = True
        except _PassEndsError:
            complete = False
        if complete and not failed and self.switches:
            self._switch()
        return Pass(Plan(tuple(self._steps), complete, failed, dict(self.scope.dynamic)), self._needs)

    # --- items ----------------------------------------------------------------------------------------------------

    def _items(self, items: Sequence[Item], key: StepKey) -> None:
        for index, item in enumerate(items):
            here = (*key, index)
            if isinstance(item, Block):
                self._block(item, here)
            elif not self.tags.selects(item.inherited.tags):
                continue
            elif isinstance(item, Include):
                self._include(item, here)
            elif item.module == "meta":
                self._meta(item, here)
            else:
                self._task(item, here)

    def _block(self, block: Block, key: StepKey) -> None:
        failed = False
        self._rescuers += bool(block.rescue)
        try:
            self._items(block.body, (*key, "block"))
        except _PlayFailedError:
            failed = True
        finally:
            self._rescuers -= bool(block.rescue)
        if failed and block.rescue:
            try:
                self._items(block.rescue, (*key, "rescue"))
                failed = False
            except _PlayFailedError:
                failed = True
        self._items(block.always, (*key, "always"))
        if failed:
            raise _PlayFailedError

    def _include(self, include: Include, key: StepKey) -> None:
        try:
            for number, local in enumerate(loop_variables(include, self.scope.templar(include, self._local))):
                self._included(include, (*key, number), ChainMap(local, dict(self._local)))
        except InputError as error:
            self._end_if_failed(include, [self._broken(include, (*key, "loop"), error)])
        except UnknownValueError as error:
            self._not_known(include, key, error.reason)

    def _included(self, include: Include, key: StepKey, local: Mapping[str, Any]) -> None:
        templar = self.scope.templar(include, local)
        doubt = ""
        try:
            if not all(templar.holds(condition) for condition in include.inherited.when):
                return
        except UnknownValueError as error:
            doubt = self._must_wait(error.reason)
        items = include.load(templar.text(include.target))
        for role in {id(role): role for item in items if (role := getattr(item, "role", None))}.values():
            self._know(role.handlers)
        with self._within(local, doubt):
            self._items(items, key)

    @contextmanager
    def _within(self, local: Mapping[str, Any], doubt: str) -> Iterator[None]:
        """Inside an include: its loop's variables are seen, and whether its tasks run at all may be in doubt."""
        before = self._local, self._doubt
        self._local, self._doubt = local, doubt or self._doubt
        try:
            yield
        finally:
            self._local, self._doubt = before

    def _must_wait(self, reason: str) -> str:
        """An apply waits for what is not known yet; a check goes on, in doubt for this reason."""
        if self.stops and not self._needs:
            raise _PassEndsError
        return reason

    def _not_known(self, item: Task | Include, key: StepKey, reason: str) -> None:
        self._must_wait(reason)
        self._steps.append(Step(key, self._name(item), Outcome.UNKNOWN, f"known after apply: needs {reason}"))

    def _name(self, item: Task | Include) -> TaskLabel:
        if isinstance(item, Task):
            return replace(self._label(item, self.scope.templar(item, self._local)), item="")
        role = item.role.name if item.role else ""
        return TaskLabel(str(item.name or item.target), "include", role, where=item.where)

    def _label(self, task: Task, templar: Templar) -> TaskLabel:
        return task_label(task, templar, str(self.scope.facts.get("user_dir", "")))

    # --- tasks ----------------------------------------------------------------------------------------------------

    def _task(self, task: Task, key: StepKey) -> None:
        rounds: list[tuple[Round, Mapping[str, Any]]] = []
        try:
            for number, local in enumerate(loop_variables(task, self.scope.templar(task, self._local))):
                rounds.append((self._round(task, (*key, number), ChainMap(local, dict(self._local))), local))
        except InputError as error:  # the loop or a keyword cannot be rendered
            rounds.append((self._broken(task, (*key, "loop"), error), {}))
        except UnknownValueError as error:
            self._not_known(task, key, error.reason)
            rounds.append((Round(Outcome.UNKNOWN, unknown=error.reason), {}))
        if task.register:
            self.scope.dynamic[task.register] = registered(task, rounds)
        self._end_if_failed(task, [done for done, _ in rounds])

    def _end_if_failed(self, item: Task | Include, rounds: Sequence[Round]) -> None:
        failed = next((done for done in rounds if done.fails), None)
        if failed is None or self._needs or self.keeps_going:
            return
        if self.stops and self._steps:  # later items of the loop come before the rescue
            raise _PassEndsError
        label = self._name(item)  # what a `rescue` may ask
        self.scope.dynamic["ansible_failed_task"] = {"name": label.name, "action": label.module}
        self.scope.dynamic["ansible_failed_result"] = dict(failed.values)
        raise _PlayFailedError

    def _round(self, task: Task, key: StepKey, local: Mapping[str, Any]) -> Round:
        templar = self.scope.templar(task, local)
        done = self.settled.get(key)
        if done is not None:
            return self._settled(task, templar, done)
        return self._open(TaskRound(key, task, self.modules[task.module], templar, self._label(task, templar)))

    def _settled(self, task: Task, templar: Templar, done: Done) -> Round:
        self.scope.dynamic.update(done.facts)
        self.host.generation = done.generation or self.host.generation
        if done.outcome is Outcome.CHANGED:
            self._notified.update(self._called(notified(task, templar)))
        return Round(done.outcome, done.values, done.outcome in _FAILURES)

    def _open(self, this: TaskRound) -> Round:
        try:
            step = unknown_step(this, self._doubt) if self._doubt else plan_round(this, self.host)
        except NeedsReadingError as missing:
            self._needs.add(missing.needs)
            return self._unknown(this, "what is being read")
        except UnknownValueError as error:
            step = unknown_step(this, self._must_wait(error.reason))
        # A failure that rests on nothing that was read (`fail`, a false `assert`) comes whatever a program does.
        if step.outcome in _FAILURES and step.reads and self._anything_may_change and not self.stops:
            step = unknown_step(this, f"what a program does before ({step.message})")
        self._take(step)
        if step.outcome is Outcome.UNKNOWN:
            return self._unknown(this, UNTOLD if step.hidden else step.message.partition(": needs ")[2])
        if step.outcome is Outcome.WOULD_CHANGE:
            self._notified.update(self._called(step.notify))
        self.scope.dynamic.update(step.result.facts if step.result else {})
        return Round(step.outcome, planned_values(step), step.outcome in _FAILURES)

    def _unknown(self, this: TaskRound, reason: str) -> Round:
        if this.task.module == "set_fact":
            self.scope.dynamic.update(dict.fromkeys(this.task.arguments, UnknownValue(reason)))
        with suppress(UnknownValueError, InputError):  # the names themselves are not known yet
            self._perhaps_notified.update(dict.fromkeys(self._called(notified(this.task, this.templar)), reason))
        return Round(Outcome.UNKNOWN, unknown=reason)

    def _broken(self, item: Task | Include, key: StepKey, error: InputError) -> Round:
        done = self.settled.get(key)
        if done is not None:
            return Round(done.outcome, done.values, done.outcome in _FAILURES)
        step = broken_step(item, key, self.scope.templar(item, self._local), self._name(item), error)
        self._take(step)
        return Round(step.outcome, planned_values(step), step.outcome in _FAILURES)

    def _take(self, step: Step) -> None:
        """The step is the next of the plan. The pass ends with one that has to be judged before the play goes on."""
        if self._rescuers and not step.ignore_errors:
            step = replace(step, is_rescued=True)
            if step.outcome is Outcome.FAILED:
                step = replace(step, outcome=Outcome.RESCUED)
        self._steps.append(step)
        self._anything_may_change |= any(isinstance(a, Run) and a.writes is None for a in step.actions)
        if self.stops and not self._needs and _ends_pass(step, keeps_going=self.keeps_going):
            raise _PassEndsError

    # --- handlers, meta, generation -----------------------------------------------------------------------------------

    def _meta(self, task: Task, key: StepKey) -> None:
        what = str(task.arguments.get("_raw", "")).strip()
        templar = self.scope.templar(task, self._local)
        try:
            if not all(templar.holds(condition) for condition in task.inherited.when):
                return
        except InputError as error:
            self._end_if_failed(task, [self._broken(task, key, error)])
            return
        except UnknownValueError as error:
            self._not_known(task, key, error.reason)
            self._doubt = self._doubt or error.reason  # of everything that follows
            return
        if what == "flush_handlers":
            self._flush()
        elif what in {"end_play", "end_host"}:
            raise _PlayEndsError

    def _flush(self) -> None:
        """Run the notified handlers in the order of their definition, each once."""
        self._flushes += 1
        for index, (handler, _) in enumerate(self._handlers):
            doubt = self._perhaps_notified.pop(index, "")
            if index in self._notified:
                self._notified.remove(index)
                doubt = ""
            elif not doubt:
                continue
            with self._within({}, doubt):
                self._task(handler, ("handlers", self._flushes, index))

    def _know(self, handlers: Sequence[Task]) -> None:
        """These may be notified from here on; those of a role that is included while the play runs come last."""
        known = {handler.where for handler, _ in self._handlers}
        self._handlers += [(handler, self._names(handler)) for handler in handlers if handler.where not in known]

    def _called(self, names: Sequence[str]) -> set[int]:
        """The handlers (by their place in the play) that go by one of these names."""
        return {index for index, (_, own) in enumerate(self._handlers) if not own.isdisjoint(names)} if names else set()

    def _names(self, handler: Task) -> set[str]:
        names = {str(listened) for listened in handler.listen}
        if handler.name:
            name = self._name(handler).name
            names |= {name, f"{handler.role.name} : {name}"} if handler.role else {name}
        return names

    def _switch(self) -> None:
        if SWITCH_KEY in self.settled or self._needs:
            return
        self.host.begin("generation")
        made = self.host.generation
        if not isinstance(made, generation.Generation):
            return
        try:
            generation.switch(self.host)
        except NeedsReadingError as missing:
            self._needs.add(missing.needs)
            self.host.rollback()
            return
        record = self.host.commit()
        label = TaskLabel(f"make generation {made.number} current", "generation")
        self._steps.append(
            Step(
                SWITCH_KEY,
                label,
                Outcome.WOULD_CHANGE,
                diffs=tuple(shortened(diff, self.host.home) for diff in record.diffs),
                actions=tuple(record.actions),
                reads=dict(record.reads),
                result=Result(changed=True),
                record=record,
            )
        )


def _ends_pass(step: Step, *, keeps_going: bool) -> bool:
    """Whether the play cannot go past this step before it has run: its outcome is judged here, not on the host."""
    if step.patience is not None and step.outcome is not Outcome.SKIPPED:
        return True
    if keeps_going:
        return False
    judged = step.judgement.fails_when is not None or step.judgement.changes_when is not None
    unchecked = any(isinstance(action, Run) and not action.fails_when_nonzero for action in step.actions)
    return judged or unchecked or step.outcome in _FAILURES
