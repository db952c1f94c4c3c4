"""`timeout` and `throttle`: how long a task may take, and how many hosts may do it at the same time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from scupi_provision.errors import InputError
from scupi_provision.plan.models import TaskRound, Throttle
from scupi_provision.shell.actions import Action, Run
from scupi_provision.source import diagnostic


def limit_of(this: TaskRound) -> int:
    """Seconds that the task may take; 0: as long as it likes.

    Raises:
        InputError: It is no such number.
    """
    return _whole(this, this.task.inherited.timeout, "timeout is whole seconds")


def throttle_of(this: TaskRound) -> Throttle | None:
    """How many hosts may do the task at the same time; None: as many as there are.

    Raises:
        InputError: It is no such number.
    """
    most = _whole(this, this.task.inherited.throttle, "throttle is a whole number of hosts")
    return Throttle(str(this.task.where), most) if most else None


def _whole(this: TaskRound, asked: Any, rule: str) -> int:
    rendered = this.templar.render(asked) if asked is not None else 0
    try:
        number = int(str(rendered))
    except ValueError:
        number = -1
    if number >= 0:
        return number
    raise InputError.of([diagnostic(f"{rule}, this is {rendered!r}", getattr(asked, "position", this.task.where))])


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
