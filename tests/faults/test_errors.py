"""One change fails, or the disk is full from there on: said, never torn, and the next apply finishes the work."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest
from reference import ERRORS, FULL, Fault, Reference

_SAMPLED = 11
"""Unless every fault is wanted, every so-manieth point, beginning with another one for each error."""


@pytest.mark.parametrize(
    ("error", "stays"),
    [*((error, False) for error in ERRORS), *((error, True) for error in FULL)],
    ids=[*(errno.errorcode[error] for error in ERRORS), *(f"{errno.errorcode[error]} that stays" for error in FULL)],
)
def test_a_change_that_fails(
    reference: Reference, killat: Path, tmp_path: Path, error: int, stays: bool, every_fault: bool
) -> None:
    reference.reset()
    without = Fault(killat, reference.home, tmp_path / "log")
    assert reference.run(without).complete
    step = 1 if every_fault else _SAMPLED
    wrong = []
    for point in range(1 + (error + stays) % step, without.count + 1, step):
        reference.reset()
        fault = Fault(killat, reference.home, tmp_path / "log", point=point, error=error, stays=stays)
        stopped = reference.run(fault)
        found = reference.torn()
        if stopped.complete and reference.now() != reference.after:
            found.append("it was said that all was done, and it was not")
        found += reference.recover()
        wrong += [f"{point} ({fault.met}): {what}" for what in found]
    assert wrong == []
