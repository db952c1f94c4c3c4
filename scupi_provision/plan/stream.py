"""A plan to what the host is sent: the actions of each step, with everything they rely on checked again in time."""

from __future__ import annotations

from collections.abc import Sequence

from scupi_provision.plan.models import Step
from scupi_provision.shell.actions import Action, Recheck
from scupi_provision.shell.entry import Entry


def stream_of(steps: Sequence[Step]) -> list[tuple[int, list[Action]]]:
    """(index of the step, its actions) for every step that has something to do or to check.

    A program may have changed anything. So every step after it that relies on what was read begins with a re-check of
    that: a plan never acts, and never says "ok", on what may be stale. The checks come one by one and not all at once,
    because each must hold when its step's turn comes.
    """
    stream: list[tuple[int, list[Action]]] = []
    doubtful = False
    checked: dict[str, Entry] = {}
    listed: dict[str, tuple[str, ...]] = {}
    for index, step in enumerate(steps):
        actions: list[Action] = []
        if doubtful:
            entries = {path: entry for path, entry in step.reads.items() if checked.get(path) != entry}
            names = {pattern: found for pattern, found in step.names.items() if listed.get(pattern) != found}
            checked.update(entries)
            listed.update(names)
            if entries or names:
                actions.append(Recheck(tuple(entries.items()), tuple(names.items())))
        actions.extend(step.actions)
        if actions:
            stream.append((index, actions))
        if step.is_opaque:
            doubtful, checked, listed = True, {}, {}
    return stream
