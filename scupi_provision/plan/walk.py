"""One pass over a play for one host: from what is settled and what has been read to the steps that come next.

A pass is pure. What has been settled on the host is remembered by step key (`Done`), so every pass walks the whole play
and arrives, with the right variables and notified handlers, at the first step that is still open.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from scupi_provision.errors import InputError
from scupi_provision.events import Outcome, TaskLabel
from scupi_provision.host import generation
from scupi_provision.host.snapshot import Needs, NeedsReadingError
from scupi_provision.host.view import HostView
from scupi_provision.modules.contract import Module, Result
from scupi_provision.plan.models import Done, Plan, Step, StepKey
from scupi_provision.plan.scope import PlayScope
from scupi_provision.plan.tags import TagSelection
from scupi_provision.plan.tasks import TaskRound, from_home, plan_round, planned_values, unknown_step
from scupi_provision.playbook.models import Block, Include, Item, Task
from scupi_provision.playbook.templating import Templar
from scupi_provision.shell.actions import Run
from scupi_provision.source import diagnostic
from scupi_provision.values import UnknownValue, UnknownValueError

SWITCH_KEY: StepKey = ("generation",)
"""The engine's own last step: making the staged generation current."""


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
    _notified: set[str] = field(default_factory=set)
    _flushes: int = 0
    _rescuers: int = 0

    def run(self, items: Sequence[Item]) -> Pass:
        """Walk `items`, then the handlers they notify, then the switch of the generation."""
        complete, failed = True, False
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
            elif isinstance(item, Include):
                self._include(item, here)
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
        if not self.tags.selects(include.inherited.tags):
            return
        for number, local in enumerate(self._rounds(include, key)):
            templar = self.scope.templar(include, local)
            try:
                if not all(templar.holds(condition) for condition in include.inherited.when):
                    continue
                items = include.load(templar.text(include.target))
            except UnknownValueError as error:
                self._wait(include, (*key, number), error.reason)
                continue
            self._items(items, (*key, number))

    def _wait(self, include: Include, key: StepKey, reason: str) -> None:
        if self.stops and not self._needs:
            raise _PassEndsError
        label = TaskLabel(str(include.target), "include", where=include.where)
        self._steps.append(Step(key, label, Outcome.UNKNOWN, f"known after apply: needs {reason}"))

    # --- tasks ----------------------------------------------------------------------------------------------------

    def _task(self, task: Task, key: StepKey) -> None:
        if not self.tags.selects(task.inherited.tags):
            return
        if task.module == "meta":
            self._meta(task)
            return
        try:
            results = [self._round(task, (*key, number), local) for number, local in enumerate(self._rounds(task, key))]
        except InputError as error:  # the loop or a keyword cannot be rendered
            self._broken(task, (*key, "loop"), error)
            return
        if task.register:
            self.scope.dynamic[task.register] = _registered(task, results)

    def _broken(self, task: Task, key: StepKey, error: InputError) -> None:
        done = self.settled.get(key)
        if done is None and not self._needs:
            label = TaskLabel(str(task.name or task.module), task.module, where=task.where)
            self._steps.append(
                Step(
                    key,
                    label,
                    Outcome.FAILED,
                    error.diagnostic.summary,
                    error=error.diagnostic,
                    result=Result(failed=True),
                )
            )
            if self.stops:
                raise _PassEndsError
        if not self._needs:
            raise _PlayFailedError

    def _rounds(self, item: Task | Include, key: StepKey) -> Iterator[dict[str, Any]]:
        loop = item.loop
        if loop is None:
            yield {}
            return
        templar = self.scope.templar(item, {})
        try:
            items = templar.render(loop.items)
        except UnknownValueError as error:
            if self.stops and not self._needs:
                raise _PassEndsError from None
            label = TaskLabel(str(item.name or ""), getattr(item, "module", "include"), where=item.where)
            self._steps.append(Step(key, label, Outcome.UNKNOWN, f"known after apply: needs {error.reason}"))
            return
        if loop.flatten:
            items = _flattened(items)
        if not isinstance(items, list):
            what = f"loop needs a list, this is {type(items).__name__}"
            raise InputError.of([diagnostic(what, item.where, hint="a mapping becomes a list by `| dict2items`")])
        for index, value in enumerate(items):
            local = {loop.variable: value, "ansible_loop_var": loop.variable}
            if loop.index_variable:
                local[loop.index_variable] = index
            yield local

    def _round(self, task: Task, key: StepKey, local: dict[str, Any]) -> dict[str, Any]:
        templar = self.scope.templar(task, local)
        done = self.settled.get(key)
        if done is None:
            step = self._open_step(TaskRound(key, task, self.modules[task.module], templar, self._label(task, templar)))
            values, outcome, facts = planned_values(step), step.outcome, step.result.facts if step.result else {}
            notify, ignored = step.notify, step.ignore_errors
        else:
            values, outcome, facts = dict(done.values), done.outcome, dict(done.facts)
            notify = self._notifies(task, templar, outcome)
            ignored = outcome not in _FAILURES
            self.host.generation = done.generation or self.host.generation
        self.scope.dynamic.update(facts)
        if outcome in {Outcome.CHANGED, Outcome.WOULD_CHANGE}:
            self._notified.update(notify)
        if outcome in _FAILURES and not ignored and not self._needs and not self.keeps_going:
            if done is None and self.stops:
                raise _PassEndsError
            if task.register:
                self.scope.dynamic[task.register] = values
            raise _PlayFailedError
        return {**values, **_loop_values(task, local)}

    @staticmethod
    def _notifies(task: Task, templar: Templar, outcome: Outcome) -> tuple[str, ...]:
        return tuple(templar.text(name) for name in task.notify) if outcome is Outcome.CHANGED else ()

    def _open_step(self, this: TaskRound) -> Step:
        try:
            step = plan_round(this, self.host)
        except NeedsReadingError as missing:
            self._needs.add(missing.needs)
            return _placeholder(this)
        except UnknownValueError as error:
            if self.stops and not self._needs:
                raise _PassEndsError from None
            step = unknown_step(this, error.reason)
        if self._rescuers and not step.ignore_errors:
            step = replace(step, is_rescued=True)
            if step.outcome is Outcome.FAILED:
                step = replace(step, outcome=Outcome.RESCUED)
        self._steps.append(step)
        if self.stops and not self._needs and not self.keeps_going and _is_barrier(step):
            raise _PassEndsError
        return step

    def _label(self, task: Task, templar: Templar) -> TaskLabel:
        item = ""
        if task.loop is not None:
            item = _shown(task.loop.label if task.loop.label is not None else None, templar, task.loop.variable)
        name = _shown(task.name, templar, "") if task.name else task.module
        home = str(self.scope.facts.get("user_dir", ""))
        role = task.role.name if task.role else ""
        return TaskLabel(from_home(name, home), task.module, role, from_home(item, home), task.where)

    # --- handlers, meta, generation -----------------------------------------------------------------------------------

    def _meta(self, task: Task) -> None:
        what = str(task.arguments.get("_raw", "")).strip()
        templar = self.scope.templar(task, {})
        if not all(templar.holds(condition) for condition in task.inherited.when):
            return
        if what == "flush_handlers":
            self._flush()
        elif what in {"end_play", "end_host"}:
            raise _PlayEndsError

    def _flush(self) -> None:
        self._flushes += 1
        for index, handler in enumerate(self.scope.play.handlers):
            names = {*handler.listen, *((str(handler.name),) if handler.name else ())}
            if handler.name and handler.role:
                names.add(f"{handler.role.name} : {handler.name}")
            if names & self._notified:
                self._notified -= names
                self._task(handler, ("handlers", self._flushes, index))

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
                diffs=tuple(record.diffs),
                actions=tuple(record.actions),
                reads=dict(record.reads),
                result=Result(changed=True),
                record=record,
            )
        )


def _is_barrier(step: Step) -> bool:
    """Whether the play cannot go past this step before it has run: its outcome is judged here, not on the host."""
    judged = step.judgement.fails_when is not None or step.judgement.changes_when is not None
    return judged or any(isinstance(action, Run) and not action.fails_when_nonzero for action in step.actions)


def _placeholder(this: TaskRound) -> Step:
    return Step(this.key, this.label, Outcome.UNKNOWN, result=Result(values={"_": UnknownValue("what is being read")}))


def _shown(text: Any, templar: Templar, variable: str) -> str:
    try:
        return templar.text(text) if text is not None else str(templar.variables.get(variable, ""))
    except (UnknownValueError, InputError):
        return str(text or variable)


def _flattened(items: Any) -> list[Any]:
    """As `with_items` has it: no list is a list of one, and lists within are opened, one level."""
    return [inner for item in _listed(items) for inner in _listed(item)]


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]


def _loop_values(task: Task, local: Mapping[str, Any]) -> dict[str, Any]:
    if task.loop is None:
        return {}
    return {task.loop.variable: local[task.loop.variable], "ansible_loop_var": task.loop.variable}


def _registered(task: Task, results: list[dict[str, Any]]) -> dict[str, Any]:
    if task.loop is None:
        return results[0] if results else {}
    return {
        "results": results,
        "changed": any(result.get("changed") for result in results),
        "failed": any(result.get("failed") for result in results),
        "skipped": bool(results) and all(result.get("skipped") for result in results),
        "msg": "All items completed",
    }
