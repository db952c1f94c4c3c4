"""Everything is killed before any one of its changes: no path is ever torn, and the next apply finishes the work."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from reference import Fault, Reference


def test_killed_at_every_change(reference: Reference, killat: Path, tmp_path: Path) -> None:
    """In dash with GNU coreutils, at every single point."""
    kill_everywhere(reference, Fault(killat, reference.home, tmp_path / "log"), step=1)


@pytest.mark.parametrize("shell", ["bash", "mksh", "busybox"])
def test_killed_in_other_shells(
    reference: Reference, killat: Path, tmp_path: Path, shell: str, every_fault: bool, request: pytest.FixtureRequest
) -> None:
    """Other shells, and other tools with busybox, at some points."""
    step = 1 if every_fault else 9
    tools, program = "/usr/bin:/bin", f"/bin/{shell}"
    if shell == "busybox":
        tools = str(request.getfixturevalue("applets"))
        program = f"{tools}/ash"
    kill_everywhere(reference, Fault(killat, reference.home, tmp_path / "log", program, tools), step=step)


def kill_everywhere(reference: Reference, without: Fault, *, step: int) -> None:
    reference.reset()
    assert reference.run(without).complete
    assert not reference.torn()
    count = without.count
    assert count > 50
    wrong = []
    for point in range(1, count + 1, step):
        reference.reset()
        fault = Fault(without.killat, without.home, without.log, without.shell, without.tools, point)
        stopped = reference.run(fault)
        found = [*reference.torn(), *reference.recover()]
        if stopped.complete:
            found.append("it was said that all was done")
        wrong += [f"{point} ({fault.met}): {what}" for what in found]
    assert wrong == []


@pytest.mark.parametrize("naive", ["echo changed >old", "rm cur; ln -s gen2 cur", "rm -rf tree"])
def test_the_harness_sees_what_is_torn(reference: Reference, killat: Path, tmp_path: Path, naive: str) -> None:
    """What people write by hand does not pass."""
    torn = []
    for point in range(1, 8):
        reference.reset()
        command = [killat, str(point), "0", "0", reference.home, tmp_path / "log", "/bin/sh", "-c", naive]
        subprocess.run(command, cwd=reference.home, check=False)
        torn += reference.torn()
    assert torn
