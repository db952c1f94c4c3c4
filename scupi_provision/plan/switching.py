"""The engine's own last step of a play: making the generation current that its tasks have staged."""

from __future__ import annotations

from scupi_provision.events import Outcome, TaskLabel
from scupi_provision.host import generation
from scupi_provision.host.view import HostView
from scupi_provision.modules.contract import Result
from scupi_provision.plan.models import SWITCH_KEY, Step
from scupi_provision.plan.tasks import shortened


def switch_step(host: HostView) -> Step | None:
    """The step that makes the staged generation current; None when nothing was staged.

    Raises:
        NeedsReadingError: Something has to be read from the host first.
    """
    host.begin("generation")
    made = host.generation
    if not isinstance(made, generation.Generation):
        return None
    try:
        generation.switch(host)
        record = host.commit()
    finally:
        host.rollback()
    return Step(
        SWITCH_KEY,
        TaskLabel(f"make generation {made.number} current", "generation"),
        Outcome.WOULD_CHANGE,
        diffs=tuple(shortened(diff, host.home) for diff in record.diffs),
        actions=tuple(record.actions),
        reads=dict(record.reads),
        result=Result(changed=True),
        record=record,
    )
