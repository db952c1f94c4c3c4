"""Which steps of a plan are handlers, and which steps call them: a script calls one only when something has changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from scupi_provision.plan.models import Step, StepKey
from scupi_provision.playbook.models import Include, Play, Task


def callers(steps: Sequence[Step], play: Play) -> dict[StepKey, list[StepKey]]:
    """For each handler among the steps, by its key: the keys of the steps before it that notify it."""
    listened = {task.where: task.listen for task in _handlers(play)}
    found: dict[StepKey, list[StepKey]] = {}
    for place, step in enumerate(steps):
        if step.key[0] == "handlers":
            names = {step.label.name, f"{step.label.role} : {step.label.name}"}
            names |= {str(name) for name in (listened.get(step.label.where, ()) if step.label.where else ())}
            found[step.key] = [s.key for s in _since_flush(steps[:place], step) if not names.isdisjoint(s.notify)]
    return found


def _handlers(play: Play) -> Iterator[Task | Include]:
    yield from play.handlers
    for role in play.roles:
        yield from role.handlers


def _since_flush(before: Sequence[Step], handler: Step) -> Iterator[Step]:
    """The steps that may call a handler of this flush: those after the flush before, and handlers that ran earlier."""
    flush = handler.key[1]
    last = max((n for n, s in enumerate(before) if s.key[0] == "handlers" and s.key[1] < flush), default=-1)
    yield from before[last + 1 :]


def called_by(called: Mapping[StepKey, Sequence[StepKey]]) -> dict[StepKey, list[StepKey]]:
    """The same the other way round: which handlers each step calls."""
    found: dict[StepKey, list[StepKey]] = {}
    for handler, keys in called.items():
        for key in keys:
            found.setdefault(key, []).append(handler)
    return found
