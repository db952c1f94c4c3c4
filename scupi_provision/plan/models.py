"""A plan as a value: what each task of a play would do to one host."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from scupi_provision.errors import Diagnostic
from scupi_provision.events import Diff, Outcome, TaskLabel
from scupi_provision.host.record import StepRecord
from scupi_provision.modules.contract import Claim, Membership, Module, ModuleArgs, Result
from scupi_provision.playbook.models import Task
from scupi_provision.playbook.templating import Templar
from scupi_provision.shell.actions import Action
from scupi_provision.shell.entry import Entry
from scupi_provision.shell.inspection import Inspection

StepKey = tuple[Any, ...]
"""Names one step of a play for as long as the play does not change: indexes of items, blocks and loop rounds."""
SWITCH_KEY: StepKey = ("generation",)
"""The engine's own last step: making the staged generation current."""


@dataclass(frozen=True)
class TaskRound:
    """One task with the variables of one round: everything that planning it needs.

    Attributes:
        on: The host that it is delegated to, or "".
    """

    key: StepKey
    task: Task
    module: Module
    templar: Templar
    label: TaskLabel
    on: str = ""


@dataclass(frozen=True)
class Judgement:
    """How a program's result is judged when the task says so itself; templates already bound to the task's variables.

    Attributes:
        fails_when: Whether the values (of `register`) mean failure; None leaves it to the module.
        changes_when: Whether they mean a change; None leaves it to the module.
    """

    fails_when: Any = None
    changes_when: Any = None


@dataclass(frozen=True)
class Patience:
    """`until`: the step is done again until its values satisfy.

    Attributes:
        holds: Whether the values (of `register`) satisfy.
        retries: How often it is done again at most, after the first time.
        delay_s: Seconds between two times.
    """

    holds: Callable[[Mapping[str, Any]], bool]
    retries: int
    delay_s: int


@dataclass(frozen=True)
class Throttle:
    """`throttle`: at most `most` hosts do the task at `where` (`file:line:column`) at the same time."""

    where: str
    most: int


@dataclass(frozen=True)
class Step:
    """One task (one round of its loop) on one host.

    Attributes:
        outcome: OK, WOULD_CHANGE, SKIPPED, FAILED (RESCUED, IGNORED) or UNKNOWN; what check reports and apply then
            brings about.
        actions: What the host has to do, guards included; may be there for a task that changes nothing (a check).
        reads: What this step relied on, as it was read.
        names: What patterns matched, likewise.
        inspections: What was told of other questions, likewise.
        result: What the module planned; None when it was skipped or is not known yet.
        module, args: For modules that judge a program's output afterwards.
        judgement: How the task itself judges it.
        patience: `until`; None when the step is done once.
        register: Name under which the result is known to later tasks.
        notify: Handlers told of a change.
        ignore_errors: Whether the play goes on after a failure.
        is_rescued: Whether a `rescue:` stands ready for a failure.
        hidden: `no_log`: neither values nor diffs nor output are shown.
        record: The step's effects on the view, kept so that later passes can take over a staged generation.
        on: The host that does it, when it is delegated; "" is the play's own.
        limit_s: Seconds after which its programs are ended (`timeout`); 0: they take as long as they like.
        is_real: `check_mode: false`: it is done in a check, too.
        throttle: How many hosts may do it at the same time; None when that is nobody's matter.
    """

    key: StepKey
    label: TaskLabel
    outcome: Outcome
    message: str = ""
    diffs: tuple[Diff, ...] = ()
    actions: tuple[Action, ...] = ()
    reads: Mapping[str, Entry] = field(default_factory=dict)
    names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    inspections: Mapping[Inspection, bytes] = field(default_factory=dict)
    result: Result | None = None
    module: Module | None = None
    args: ModuleArgs | None = None
    judgement: Judgement = Judgement()
    patience: Patience | None = None
    register: str | None = None
    notify: tuple[str, ...] = ()
    ignore_errors: bool = False
    is_rescued: bool = False
    hidden: bool = False
    error: Diagnostic | None = None
    record: StepRecord | None = None
    on: str = ""
    limit_s: int = 0
    is_real: bool = False
    throttle: Throttle | None = None

    @property
    def is_opaque(self) -> bool:
        """Whether a program runs whose effects the plan does not know."""
        return self.record is not None and self.record.is_opaque


@dataclass(frozen=True)
class Done:
    """What became of a step: the planner's memory of what has been settled on the host.

    Attributes:
        values: What `register` gets.
        facts: Variables for the rest of the play.
        claims: What a check claimed and saw.
        generation: The generation the step staged, if it did.
        joins: What the inventory was given.
    """

    outcome: Outcome
    values: Mapping[str, Any] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
    claims: tuple[Claim, ...] = ()
    generation: object = None
    message: str = ""
    joins: Membership | None = None


@dataclass(frozen=True)
class Plan:
    """The steps of one play on one host, in order.

    Attributes:
        complete: False when a step waits for the output of a program that has to run first (apply goes on from there).
        failed: Whether a step of the plan cannot succeed, so that the play ends there.
        variables: Registered values and facts as they stand at the end of the plan.
        rest_s: Seconds to wait before the first of the steps.
    """

    steps: tuple[Step, ...]
    complete: bool
    failed: bool
    variables: Mapping[str, Any] = field(default_factory=dict)
    rest_s: float = 0.0

    @property
    def pending(self) -> tuple[Step, ...]:
        """The steps that have something to do on the host."""
        return tuple(step for step in self.steps if step.actions)
