"""`timeout`: how long a task may take."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from scupi_provision.errors import InputError
from scupi_provision.plan.models import TaskRound
from scupi_provision.shell.actions import Action, Run
from scupi_provision.source import diagnostic


def limit_of(this: TaskRound) -> int:
    """Seconds that the task may take; 0: as long as it likes.

    Raises:
        InputError: It is no such number.
    """
    asked = this.task.inherited.timeout
    rendered = this.templar.render(asked) if asked is not None else 0
    try:
        seconds = int(str(rendered))
    except ValueError:
        seconds = -1
    if seconds >= 0:
        return seconds
    where = getattr(asked, "position", this.task.where)
    raise InputError.of([diagnostic(f"timeout is whole seconds, this is {rendered!r}", where)])


def limited(actions: Sequence[Action], seconds: int) -> tuple[Action, ...]:
    """`actions` whose programs are ended when they take longer. What is not a program takes no time to speak of."""
    if not seconds:
        return tuple(actions)
    return tuple(
        replace(action, timeout_s=min(action.timeout_s, seconds)) if isinstance(action, Run) else action
        for action in actions
    )


def timed_out(seconds: int) -> dict[str, Any]:
    """What is registered of a task that took longer, as ansible-core 2.19 has it."""
    return {
        "changed": False,
        "failed": True,
        "msg": f"Task failed: Timed out after {seconds} second(s).",
        "timedout": {"period": seconds},
    }
