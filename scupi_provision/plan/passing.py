"""Steps that come to nothing together: a file that one task makes and another one removes is not left to change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from scupi_provision.plan.models import Step, StepKey
from scupi_provision.shell.entry import ABSENT, Entry, Kind


def passing(steps: Sequence[Step], now: Mapping[str, Entry]) -> frozenset[StepKey]:
    """The steps after whose plan everything that they touch is as it is `now`.

    Args:
        steps: A whole plan, in order.
        now: What is on the host; a path that is not in it is not known.
    """
    last: dict[str, Entry] = {}
    for step in steps:
        for path, entry in (step.record.planned if step.record else {}).items():
            if not entry.exists:
                last.update({below: ABSENT for below in last if below.startswith(path + "/")})
            last[path] = entry
    return frozenset(step.key for step in steps if _comes_to_nothing(step, last, now))


def _comes_to_nothing(step: Step, last: Mapping[str, Entry], now: Mapping[str, Entry]) -> bool:
    record = step.record
    if record is None or not record.planned or record.opaque or record.is_opaque:
        return False
    if any(now.get(path, ABSENT).kind is Kind.DIRECTORY for path in record.replaced):
        return False  # what was below it, and is not made again, is not told here
    return all(_same(last[path], _at(path, now)) for path in record.planned)


def _at(path: str, now: Mapping[str, Entry]) -> Entry | None:
    """What is at `path`; nothing is below what is not there."""
    while path not in now:
        path, _, name = path.rpartition("/")
        if not name:
            return None
        if path in now and not now[path].exists:
            return ABSENT
    return now[path]


def _same(planned: Entry, now: Entry | None) -> bool:
    if now is None or planned.kind is not now.kind:
        return False
    known = [(planned.mode, now.mode), (planned.digest, now.digest), (planned.target, now.target)]
    return all(mine == theirs for mine, theirs in known) and (planned.kind is not Kind.FILE or bool(planned.digest))
