"""One round of a task: what is known of it after a pass, and how it is named to people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from scupi_provision.errors import InputError
from scupi_provision.events import Outcome, TaskLabel
from scupi_provision.playbook.models import Include, Task
from scupi_provision.playbook.templating import Templar
from scupi_provision.values import UnknownValueError

_HIDDEN = "hidden by no_log"


@dataclass(frozen=True)
class Round:
    """What is known of one round of a task after a pass.

    Attributes:
        values: What `register` gets of it.
        fails: Whether it fails the task (not when errors are ignored).
        unknown: Why nothing is known of it yet, or "".
    """

    outcome: Outcome
    values: Mapping[str, Any] = field(default_factory=dict)
    fails: bool = False
    unknown: str = ""


def task_label(task: Task, templar: Templar, home: str) -> TaskLabel:
    """How a round is named to people: what cannot be rendered yet is shown as written, items of `no_log` not at all."""
    item = ""
    if task.loop is not None:
        item = _HIDDEN if is_hidden(task, templar) else _item_label(task, templar)
    name = _text(task.name, templar) if task.name else task.module
    role = task.role.name if task.role else ""
    return TaskLabel(from_home(name, home), task.module, role, from_home(item, home), task.where)


def from_home(text: str, home: str) -> str:
    """`text` for people: paths below the home begin with `~/`."""
    return text.replace(f"{home}/", "~/") if len(home) > 1 else text


def is_hidden(item: Task | Include, templar: Templar) -> bool:
    """Whether `no_log` holds; in doubt it does."""
    flag = item.inherited.no_log
    try:
        return flag is not None and templar.agrees(flag)
    except (UnknownValueError, InputError):
        return True


def _item_label(task: Task, templar: Templar) -> str:
    loop = task.loop
    if loop is None or loop.label is not None:
        return _text(loop.label, templar) if loop else ""
    try:
        return str(templar.variables.get(loop.variable, ""))
    except (UnknownValueError, InputError):
        return loop.variable


def _text(text: Any, templar: Templar) -> str:
    try:
        return templar.text(text)
    except (UnknownValueError, InputError):
        return str(text)
