"""The lockout guard stopped anywhere: what decides about logins is as before or as after, and nothing is left over."""

from __future__ import annotations

import errno
import shutil
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from real_plays import HOME_ONLY, tree
from reference import Fault
from scupi_provision.errors import ProvisionError
from scupi_provision.run.session import Session
from scupi_provision.shell.actions import Link, Remove, SetMode, WriteFile
from scupi_provision.shell.compile import Turn
from scupi_provision.shell.guarding import Guarded, judge_guard, look_at_guards
from scupi_provision.shell.replies import GuardReply, StepDone
from scupi_provision.transport.local import LocalTransport

_SAMPLED = 7
"""Unless every fault is wanted, every so-manieth point."""


AFTER = {".bashrc": (0o644, b"changed\n"), ".profile": "elsewhere", ".ssh": (0o777, None)}
"""What the stream makes of the home; the keys are gone."""


@dataclass
class Scene:
    """A home, a stream that changes four things of it under the guard, and verdicts on that."""

    home: Path
    killat: Path
    log: Path
    verdicts: tuple[str, ...]
    told: list[GuardReply] = field(default_factory=list)
    done: int = 0

    def reset(self) -> None:
        shutil.rmtree(self.home, ignore_errors=True)
        (self.home / ".ssh").mkdir(parents=True)
        (self.home / ".ssh").chmod(0o700)
        for name, mode in ((".bashrc", 0o640), (".profile", 0o600), (".ssh/authorized_keys", 0o600)):
            (self.home / name).write_text(f"{name}, as it was\n")
            (self.home / name).chmod(mode)
        self.told, self.done = [], 0

    def run(self, *, point: int = 0, error: int = 0, stays: bool = False) -> Fault:
        """From the start to the last verdict, or to the fault."""
        self.reset()
        fault = Fault(self.killat, self.home, self.log, point=point, error=error, stays=stays)
        session = Session(fault, run_id="run-1", owner="tests (run run-1)")  # type: ignore[arg-type]
        try:
            self.done = sum(isinstance(reply, StepDone) for reply in session.perform(self._stream()))
            for verdict in self.verdicts:
                self.told += session.guard(judge_guard(verdict))  # type: ignore[arg-type]
        except ProvisionError:
            pass
        finally:
            session.close()
            fault.close()
        return fault

    def _stream(self) -> list[Turn]:
        actions = (
            WriteFile(f"{self.home}/.bashrc", b"changed\n", 0o644),
            Link(f"{self.home}/.profile", "elsewhere"),
            Remove(f"{self.home}/.ssh/authorized_keys"),
            SetMode(f"{self.home}/.ssh", 0o777),
        )
        return [
            Turn(number, (action,), guarded=(Guarded(action.path),), guard_s=600)
            for number, action in enumerate(actions)
        ]

    def finish(self) -> None:
        """The next run."""
        transport = LocalTransport({"HOME": str(self.home), **HOME_ONLY})
        session = Session(transport, run_id="run-2", owner="tests")
        session.guard(look_at_guards(finish=True))
        session.close()
        transport.close()

    def now(self) -> dict[str, object]:
        return {name: what for name, what in tree(self.home).items() if "/.provision-" not in f"/{name}"}

    def left_over(self) -> list[str]:
        return [str(path) for path in (*self.home.rglob(".provision-guard-*"), *self.home.glob(".provision/guard"))]


def _is_of(now: dict[str, object], *states: dict[str, object]) -> bool:
    """Whether every path is as in one of the states, if not all as in the same: each is put in again by itself."""
    return all(any(now.get(name) == state.get(name) for state in states) for name in {*now, *states[0], *states[1]})


@pytest.fixture(params=[("keep",), ("back", "drop"), ("back", "forth")], ids=" ".join)
def scene(request: pytest.FixtureRequest, tmp_path: Path, killat: Path) -> Scene:
    return Scene(tmp_path / "home", killat, tmp_path / "log", request.param)


def test_killed_at_every_change(scene: Scene, every_fault: bool) -> None:
    """The session and its watchdog together, at any point of the stream and of the verdict."""
    scene.reset()
    before = scene.now()
    count = scene.run().count
    judged = scene.now()
    assert scene.left_over() == []
    assert (judged == before) == (scene.verdicts == ("back", "drop"))
    wrong = []
    for point in range(1, count + 1, 1 if every_fault else 2):
        fault = scene.run(point=point)
        scene.finish()
        now = scene.now()
        mixed = scene.verdicts == ("back", "forth") and _is_of(now, before, judged)
        if now != before and (scene.done < 4 or not (now == judged or mixed)):
            wrong.append(f"{point} ({fault.met}): {now}")
        if any(reply.what == "kept" for reply in scene.told) and now != judged:
            wrong.append(f"{point} ({fault.met}): it was said that the change stands")
        wrong += [f"{point} ({fault.met}): left over {path}" for path in scene.left_over()]
    assert count > 50
    assert wrong == []


@pytest.mark.parametrize("stays", [False, True], ids=["once", "for good"])
def test_a_disk_that_is_full(scene: Scene, stays: bool, every_fault: bool) -> None:
    """Every path is as before or as after; a full disk does not keep the host from putting back what it can rename."""
    scene.reset()
    before = scene.now()
    count = scene.run().count
    wrong = []
    for point in range(1 + stays, count + 1, 1 if every_fault else _SAMPLED):
        fault = scene.run(point=point, error=errno.ENOSPC, stays=stays)
        now = scene.now()
        if not _is_of(now, before, AFTER):
            wrong.append(f"{point} ({fault.met}): torn: {now}")
        put_back = {reply.path for reply in scene.told if reply.what == "back"}
        if scene.verdicts == ("back", "drop") and scene.done == 4 and put_back and now != before:
            wrong.append(f"{point} ({fault.met}): not put back: {scene.told}")
        scene.finish()
        wrong += [f"{point} ({fault.met}): left over {path}" for path in scene.left_over()]
    assert wrong == []
