"""What one pass over a play has come to so far: its steps, what must be read, and what the items to come can see."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from scupi_provision.errors import InputError
from scupi_provision.events import Outcome, TaskLabel
from scupi_provision.host.snapshot import Needs
from scupi_provision.host.view import HostView
from scupi_provision.modules.contract import Module
from scupi_provision.plan.company import Company
from scupi_provision.plan.delegation import HERE, Delegates
from scupi_provision.plan.endings import PassEndsError
from scupi_provision.plan.handlers import Handlers
from scupi_provision.plan.judging import without_patience
from scupi_provision.plan.models import Done, Step, StepKey
from scupi_provision.plan.rounds import task_label
from scupi_provision.plan.scope import PlayScope
from scupi_provision.playbook.models import Include, Task
from scupi_provision.playbook.templating import Templar
from scupi_provision.shell.actions import Run
from scupi_provision.values import UnknownValueError

FAILURES = frozenset({Outcome.FAILED, Outcome.RESCUED})


@dataclass
class Course:
    """One pass under way. Everything that walks a part of the play shares it.

    Attributes:
        settled: What has become of the steps that were done before this pass.
        stops: Whether the pass ends where a program has to run first (apply); a check goes on and says so.
        keeps_going: Whether a failed task is followed by the next (verification reports every check).
        steps: Those that come next, so far.
        needs: What must be read before this pass can be used.
        local: Variables of the loops of includes around.
        doubt: Why it is not known whether the items here run at all, or "".
        rescuers: How many blocks with a `rescue` are around.
        anything_may_change: Whether a program was met that does not say what it writes.
        ended_roles: The roles (by `id`) that `meta: end_role` has ended here.
        rest_s: Seconds to wait before the first of the steps.
        delegates: The hosts that do tasks for this one.
    """

    scope: PlayScope
    host: HostView
    settled: Mapping[StepKey, Done]
    modules: Mapping[str, Module]
    stops: bool = True
    keeps_going: bool = False
    steps: list[Step] = field(default_factory=list)
    needs: Needs = field(default_factory=Needs)
    handlers: Handlers = field(init=False)
    local: Mapping[str, Any] = field(default_factory=dict)
    doubt: str = ""
    rescuers: int = 0
    anything_may_change: bool = False
    ended_roles: set[int] = field(default_factory=set)
    rest_s: float = 0.0
    delegates: Delegates = field(default_factory=Delegates)
    _views: dict[str, HostView] = field(default_factory=dict)
    _acting: str | None = None

    @property
    def company(self) -> Company:
        """The other hosts of the play."""
        return self.scope.company

    @property
    def is_settled(self) -> bool:
        """Whether nothing that was met so far is still to be done or read; a check does nothing."""
        return not self.needs and not (self.stops and any(step.actions for step in self.steps))

    def says(self, item: Task | Include, flag: Any) -> bool:
        """Whether a keyword of `item` holds here; not when it cannot be told."""
        if flag is None or isinstance(flag, bool):
            return bool(flag)
        try:
            return self.templar(item).agrees(flag)
        except (InputError, UnknownValueError):
            return False

    def __post_init__(self) -> None:
        self.handlers = Handlers(lambda handler: self.name(handler).name)

    def templar(self, item: Task | Include) -> Templar:
        """A Templar with what `item` sees here, outside its own loop."""
        return self.scope.templar(item, self.local)

    @contextmanager
    def within(self, local: Mapping[str, Any], doubt: str) -> Iterator[None]:
        """Inside an include: its loop's variables are seen, and whether its tasks run at all may be in doubt."""
        before = self.local, self.doubt
        self.local, self.doubt = local, doubt or self.doubt
        try:
            yield
        finally:
            self.local, self.doubt = before

    def must_wait(self, reason: str) -> str:
        """An apply waits for what is not known yet; a check goes on, in doubt for this reason."""
        if self.company.wanted is not None or (self.stops and not self.needs):
            raise PassEndsError
        return reason

    def view(self, on: str) -> HostView:
        """The host called `on` as the plan leaves it; HERE is the play's own.

        Raises:
            PassEndsError: Another host has something to do first.
        """
        if self.stops and not self.needs and self._acting not in {None, on}:
            raise PassEndsError
        if on == HERE:
            return self.host
        if on not in self._views:
            own = self.host
            self._views[on] = HostView(
                self.delegates.snapshot(on),
                check_mode=own.check_mode,
                keep_contents=own.keep_contents,
                verbosity=own.verbosity,
                fetch_via=own.fetch_via,
            )
        return self._views[on]

    def need(self, needs: Needs, on: str) -> None:
        """Something has to be read on the host called `on`."""
        self.needs.add(needs if on == HERE else Needs(elsewhere={on: needs}))

    def rest(self, seconds: float) -> None:
        """The host rests before the next step (`loop_control: pause`): what comes before is done first."""
        if not seconds or not self.stops or self.needs:
            return
        if self.steps:
            raise PassEndsError
        self.rest_s = seconds

    def not_known(self, item: Task | Include, key: StepKey, reason: str) -> None:
        """Nothing can be said of `item` as a whole before `reason` is known."""
        self.must_wait(reason)
        self.steps.append(Step(key, self.name(item), Outcome.UNKNOWN, f"known after apply: needs {reason}"))

    def take(self, step: Step) -> Step:
        """The step is the next of the plan, as it is then; the pass ends with one that has to be judged first."""
        if not self.stops:
            step = without_patience(step)
        if self.rescuers and not step.ignore_errors:
            step = replace(step, is_rescued=True)
            if step.outcome is Outcome.FAILED:
                step = replace(step, outcome=Outcome.RESCUED)
        self._await_turn(step)
        self.steps.append(step)
        if step.actions:
            self._acting = step.on
        self.anything_may_change |= any(isinstance(a, Run) and a.writes is None for a in step.actions)
        if self.host.check_mode and step.is_real and step.actions and not (self.needs or self.stops):
            raise PassEndsError  # a check does it before it goes on
        if self.stops and not self.needs and _ends_pass(step, keeps_going=self.keeps_going):
            raise PassEndsError
        return step

    def _await_turn(self, step: Step) -> None:
        """What waits for its turn (`throttle`) travels alone, so that nothing else waits with it."""
        if not self.stops or self.needs or not step.actions:
            return
        acting = next((one for one in reversed(self.steps) if one.actions), None)
        if acting is not None and acting.throttle != step.throttle:
            raise PassEndsError

    def name(self, item: Task | Include) -> TaskLabel:
        """How `item` as a whole is named to people."""
        if isinstance(item, Task):
            return replace(self.label(item, self.templar(item)), item="")
        role = item.role.name if item.role else ""
        return TaskLabel(str(item.name or item.target), "include", role, where=item.where)

    def label(self, task: Task, templar: Templar) -> TaskLabel:
        """How one round of `task` is named to people."""
        return task_label(task, templar, str(self.scope.facts.get("user_dir", "")))


def _ends_pass(step: Step, *, keeps_going: bool) -> bool:
    """Whether the play cannot go past this step before it has run: its outcome is judged here, not on the host."""
    if step.patience is not None and step.outcome is not Outcome.SKIPPED:
        return True
    if keeps_going:
        return False
    judged = step.judgement.fails_when is not None or step.judgement.changes_when is not None
    unchecked = any(isinstance(action, Run) and not action.fails_when_nonzero for action in step.actions)
    return judged or unchecked or step.outcome in FAILURES
