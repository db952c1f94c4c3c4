"""What the controller has to bring to a host before a stream of actions can begin there."""

from __future__ import annotations

import time
from collections.abc import Generator, Sequence
from dataclasses import replace
from typing import NamedTuple, TypeVar

from scupi_provision.errors import ProvisionError
from scupi_provision.events import Event, TaskProgress
from scupi_provision.plan.models import Step
from scupi_provision.run.blobs import Amount, Blob, Stock
from scupi_provision.run.session import Session
from scupi_provision.shell.actions import Action, Fetch
from scupi_provision.shell.compile import Turn
from scupi_provision.shell.replies import RunReply, StepFailed

NO_PROGRAM, NO_WAY = 69, 75
"""How download.sh ends on a host without curl and wget, and where no source could be reached."""
_TOLD_EVERY_S = 1.0

T = TypeVar("T")


class Brought(NamedTuple):
    """A stream with everything that it needs on the host.

    Attributes:
        stream: Up to where something could not be brought.
        failure: Why it could not, for the step that wanted it.
    """

    stream: Sequence[Turn]
    failure: StepFailed | None = None


class Bringing:
    """Brings files to one host.

    Attributes:
        instead: Whether the host was found unable to download, so that `via: auto` means the controller.
    """

    def __init__(self, label: str, session: Session, stock: Stock, home: str) -> None:
        self._label = label
        self._session = session
        self._stock = stock
        self._home = home
        self.instead = False

    def takes_over(self, step: Step, runs: Sequence[RunReply]) -> bool:
        """Whether a failed step is to be done again with the controller's help: the host could not download."""
        if self.instead or not runs or runs[-1].status not in {NO_PROGRAM, NO_WAY}:
            return False
        self.instead = any(isinstance(action, Fetch) and action.via == "auto" for action in step.actions)
        return self.instead

    def bring(self, stream: Sequence[Turn], steps: Sequence[Step]) -> Generator[Event, None, Brought]:
        """Send what `stream` takes from the controller, and give the stream in which it does so."""
        made: list[Turn] = []
        for turn in stream:
            try:
                actions = yield from self._bring_for(turn, steps[turn.number])
            except ProvisionError as error:
                if error.exit_code != ProvisionError.exit_code:
                    raise  # the line, not the file
                why, detail = error.diagnostic.summary, error.diagnostic.detail
                return Brought(made, StepFailed(turn.number, why, detail))
            made.append(turn._replace(actions=actions))
        return Brought(made)

    def _bring_for(self, turn: Turn, step: Step) -> Generator[Event, None, tuple[Action, ...]]:
        """Send the files of one step together: as many as there are, they cost two exchanges."""
        actions = list(turn.actions)
        blobs: list[Blob] = []
        for place, action in enumerate(actions):
            if isinstance(action, Fetch) and self._is_ours(action):
                obtaining = self._stock.obtain(action.urls, action.sha256)
                blob = yield from self._told(step, "download on this computer", obtaining)
                blobs.append(blob)
                actions[place] = replace(action, sha256=blob.sha256, via="controller")
        if blobs:
            yield from self._told(step, "send", self._session.upload(blobs, self._home))
        return tuple(actions)

    def _is_ours(self, action: Fetch) -> bool:
        return action.via == "controller" or (action.via == "auto" and self.instead)

    def _told(self, step: Step, phase: str, work: Generator[Amount, None, T]) -> Generator[Event, None, T]:
        started_at = told_at = time.monotonic()
        while True:
            try:
                amount = next(work)
            except StopIteration as end:
                found: T = end.value
                return found
            now = time.monotonic()
            if now - told_at >= _TOLD_EVERY_S:
                told_at = now
                yield TaskProgress(self._label, step.label, phase, now - started_at, _words(amount))


def _words(amount: Amount) -> str:
    done = f"{amount.done / 1e6:.0f}"
    return f"{done} of {amount.whole / 1e6:.0f} MB" if amount.whole else f"{done} MB"
