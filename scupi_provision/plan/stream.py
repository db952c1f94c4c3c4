"""A plan to what the host is sent: the actions of each step, with everything they rely on checked again in time."""

from __future__ import annotations

from collections.abc import Sequence

from scupi_provision.plan.models import Step
from scupi_provision.plan.overlap import MOST_ASIDE, may_run_aside, must_wait
from scupi_provision.shell.actions import Action, Recheck
from scupi_provision.shell.compile import Turn
from scupi_provision.shell.entry import Entry
from scupi_provision.shell.inspection import Inspection


def stream_of(steps: Sequence[Step]) -> list[Turn]:
    """One turn for every step that has something to do or to check; its number is the step's index.

    A program may have changed anything. So every step after it that relies on what was read begins with a re-check of
    that: a plan never acts, and never says "ok", on what may be stale. The checks come one by one and not all at once,
    because each must hold when its step's turn comes.

    A long program does not hold up the steps that have nothing to do with it: it runs aside until a step has to wait
    for it, or the stream ends.
    """
    stream: list[Turn] = []
    checks = _Checks()
    aside: dict[int, Step] = {}
    for index, step in enumerate(steps):
        after = tuple(number for number, running in aside.items() if must_wait(step, running))
        for number in after:
            del aside[number]
            checks.forget()
        actions: list[Action] = [*checks.due(step), *step.actions]
        beside = may_run_aside(step) and len(aside) < MOST_ASIDE
        if actions or after:
            stream.append(Turn(index, tuple(actions), beside, after))
        if beside:
            aside[index] = step
        elif step.is_opaque:
            checks.forget()
    return [_settled(turn, stream[place + 1 :]) for place, turn in enumerate(stream)]


def _settled(turn: Turn, following: Sequence[Turn]) -> Turn:
    """A program is not set aside when it would be waited for at once."""
    if turn.aside and (not following or turn.number in following[0].after):
        return turn._replace(aside=False)
    return turn


class _Checks:
    """What has been checked since the last program ended."""

    def __init__(self) -> None:
        self._doubtful = False
        self._entries: dict[str, Entry] = {}
        self._names: dict[str, tuple[str, ...]] = {}
        self._told: dict[Inspection, bytes] = {}

    def forget(self) -> None:
        """A program has ended: nothing that was seen before is certain."""
        self._doubtful, self._entries, self._names, self._told = True, {}, {}, {}

    def due(self, step: Step) -> list[Action]:
        """What the step relies on and was not checked yet, as at most one action."""
        if not self._doubtful:
            return []
        entries = {path: entry for path, entry in step.reads.items() if self._entries.get(path) != entry}
        names = {pattern: found for pattern, found in step.names.items() if self._names.get(pattern) != found}
        told = {question: answer for question, answer in step.inspections.items() if self._told.get(question) != answer}
        self._entries.update(entries)
        self._names.update(names)
        self._told.update(told)
        check = Recheck(tuple(entries.items()), tuple(names.items()), tuple(told.items()))
        return [check] if check != Recheck() else []
