"""What one step of a plan does and what it relied on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from scupi_provision.events import Diff
from scupi_provision.shell.actions import Action, Extract, Run
from scupi_provision.shell.entry import Entry
from scupi_provision.shell.inspection import Inspection


class TaskFailedError(Exception):
    """A task cannot succeed on this host as it is; the message says why. The planner makes it the task's outcome."""


@dataclass
class StepRecord:
    """Collected while a module plans.

    Attributes:
        label: The task, for messages about what it will make.
        actions: In order.
        diffs: What they change.
        planned: Entries as they will be; the last word per path.
        contents: Bytes of files that will be written.
        replaced: Paths below which nothing that was known before holds any more.
        opaque: Subtrees that a program will write, and the label of the task that runs it.
        declared: What a lock has to hold for the step, as `host.lock` has it.
        generation: The `host.generation.Generation` that this step staged, if it did.
        reads: What was looked at, as it was or as earlier steps leave it: the basis that is checked again after
            opaque actions.
        names: Likewise, what patterns matched.
        inspections: Likewise, what was told of other questions.
        looked_at: Every path that was looked at, by the one name that it has after links, and whether something was
            there (None where a program has yet to tell).
        searched: Subtrees in which names were looked for, or which the step's programs use.
    """

    label: str
    actions: list[Action] = field(default_factory=list)
    diffs: list[Diff] = field(default_factory=list)
    planned: dict[str, Entry] = field(default_factory=dict)
    contents: dict[str, bytes] = field(default_factory=dict)
    replaced: set[str] = field(default_factory=set)
    opaque: dict[str, str] = field(default_factory=dict)
    reads: dict[str, Entry] = field(default_factory=dict)
    names: dict[str, tuple[str, ...]] = field(default_factory=dict)
    inspections: dict[Inspection, bytes] = field(default_factory=dict)
    looked_at: dict[str, bool | None] = field(default_factory=dict)
    searched: set[str] = field(default_factory=set)
    declared: list[object] = field(default_factory=list)
    generation: object = None

    @property
    def changes(self) -> set[str]:
        """The roots of everything that the step changes, as far as it is declared."""
        return {*self.planned, *self.replaced, *self.opaque}

    @property
    def is_opaque(self) -> bool:
        """Whether a program runs that may write where the plan did not say."""
        return any(isinstance(action, Run | Extract) for action in self.actions)

    def act(self, action: Action, diff: Diff) -> None:
        """Add an action and what it changes."""
        self.actions.append(action)
        self.diffs.append(diff)

    def plan(self, path: str, entry: Entry, content: bytes | None = None) -> None:
        """Note how `path` will be. Where nothing is left, nothing is left below either."""
        if not entry.exists:
            self.replaced.add(path)
            forget_below(path, self.planned, self.contents)
        self.planned[path] = entry
        if content is None:
            self.contents.pop(path, None)
        else:
            self.contents[path] = content


def forget_below(path: str, *known: dict[str, Any]) -> None:
    """Drop from dictionaries by path what is strictly below `path`."""
    for entries in known:
        for below in [other for other in entries if other.startswith(path + "/")]:
            del entries[below]
