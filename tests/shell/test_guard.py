"""The lockout guard on the host, in every shell: what is kept, who puts it back and when, and what is left behind."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from scupi_provision.run.session import Session
from scupi_provision.shell.actions import Action, Link, Mkdir, Remove, Run, SetMode, WriteFile
from scupi_provision.shell.compile import Turn
from scupi_provision.shell.guarding import Guarded, judge_guard, look_at_guards
from scupi_provision.shell.replies import GuardReply, StepDone, StepFailed

LONG_S = 60
SHORT_S = 1
_PATIENCE_S = 15.0


def perform(session: Session, *steps: tuple[Action, ...], paths: tuple[str, ...], guard_s: int = LONG_S) -> list[Any]:
    guarded = tuple(Guarded(path, whole=True) for path in paths)
    stream = [Turn(number, actions, guarded=guarded, guard_s=guard_s) for number, actions in enumerate(steps)]
    return list(session.perform(stream))


def judged(session: Session, *verdicts: str) -> list[tuple[str, str]]:
    replies: list[GuardReply] = []
    for verdict in verdicts:
        replies += session.guard(judge_guard(verdict))  # type: ignore[arg-type]
    return [(reply.what, reply.path) for reply in replies]


def wait_for(claim: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while not claim():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.05)


def guards(home: Path) -> list[str]:
    return sorted(path.name for path in (home / ".provision/guard").glob("*"))


def dog(home: Path) -> int:
    (folder,) = (home / ".provision/guard").iterdir()
    return int((folder / "dog").read_text())


def runs(pid: int) -> bool:
    """Whether a process is there and no zombie."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


@pytest.fixture
def rc(home: Path) -> Path:
    """A start-up file with a mode and bytes of its own."""
    path = home / ".bashrc"
    path.write_bytes(b"mine=1 # \xff\n\n")
    path.chmod(0o640)
    return path


def test_a_change_that_stands_leaves_nothing_behind(session: Session, home: Path, rc: Path) -> None:
    """Neither a file nor a process."""
    perform(session, (WriteFile(str(rc), b"new\n", 0o600),), paths=(str(rc),))
    watchdog = dog(home)
    assert runs(watchdog)
    assert judged(session, "keep") == [("kept", "")]
    wait_for(lambda: not runs(watchdog))
    assert (rc.read_bytes(), rc.stat().st_mode & 0o7777) == (b"new\n", 0o600)
    assert not (home / ".provision/guard").exists()
    assert judged(session, "keep", "back") == []


def test_everything_is_put_back_as_it_was(session: Session, home: Path, rc: Path) -> None:
    """Bytes, mode and times of a file; that there was none; where a link led; the mode of a folder; a folder itself."""
    (home / ".profile").symlink_to("dot files/profile")
    (home / ".ssh").mkdir(mode=0o700)
    (home / ".ssh/authorized_keys").write_text("ssh-ed25519 AAAA me\n")
    (home / ".ssh/deep").mkdir()
    for path in (rc, home / ".ssh/authorized_keys"):
        os.utime(path, (1_000_000_000, 1_000_000_000))
    before = {path: (path.lstat().st_mode, path.lstat().st_mtime) for path in (rc, home / ".ssh/authorized_keys")}
    paths = tuple(str(home / name) for name in (".bashrc", ".zshrc", ".profile", "new", "new/in", ".ssh", "."))
    steps = (
        (WriteFile(paths[0], b"", 0o600), WriteFile(paths[1], b"exit\n", 0o644), Link(paths[2], "elsewhere")),
        (Mkdir(paths[3], 0o755), WriteFile(paths[4], b"x", 0o600)),
        (Remove(paths[5], recursive=True), SetMode(paths[6], 0o700)),
    )
    home.chmod(0o755)
    guarded = tuple(Guarded(path, whole=path.endswith(".ssh")) for path in paths)
    stream = [Turn(number, actions, guarded=guarded) for number, actions in enumerate(steps)]
    assert [reply.step for reply in session.perform(stream) if isinstance(reply, StepDone)] == [0, 1, 2]
    assert set(judged(session, "back")) == {("back", path) for path in paths}
    judged(session, "drop")
    assert rc.read_bytes() == b"mine=1 # \xff\n\n"
    assert not (home / ".zshrc").exists()
    assert (home / ".profile").readlink() == Path("dot files/profile")
    assert not (home / "new").exists()
    assert (home / ".ssh/authorized_keys").read_text() == "ssh-ed25519 AAAA me\n"
    assert (home / ".ssh/deep").is_dir()
    assert home.stat().st_mode & 0o7777 == 0o755
    assert {path: (path.lstat().st_mode, path.lstat().st_mtime) for path in before} == before
    assert guards(home) == []
    assert [path.name for path in home.rglob(".provision-*")] == []


def test_a_hand_that_came_later_is_left_alone(session: Session, home: Path, rc: Path) -> None:
    perform(session, (WriteFile(str(rc), b"new\n", 0o640),), paths=(str(rc),))
    rc.write_text("my own hand\n")
    assert judged(session, "back", "drop") == [("left", str(rc))]
    assert rc.read_text() == "my own hand\n"


def test_what_a_later_step_of_the_stream_writes_is_the_streams(session: Session, rc: Path) -> None:
    """One copy, that from before the first step."""
    steps = tuple((WriteFile(str(rc), text, 0o640),) for text in (b"one\n", b"two\n"))
    perform(session, *steps, paths=(str(rc),))
    assert judged(session, "back", "drop") == [("back", str(rc))]
    assert rc.read_bytes() == b"mine=1 # \xff\n\n"


def test_what_a_program_writes_is_put_back(session: Session, home: Path, rc: Path) -> None:
    script = f"echo exit >>'{str(rc).replace(chr(39), chr(39) + chr(92) + chr(39) + chr(39))}'"
    perform(session, (Run(("/bin/sh", "-c", script)),), paths=(str(rc),))
    assert rc.read_bytes().endswith(b"exit\n")
    assert judged(session, "back", "drop") == [("back", str(rc))]
    assert rc.read_bytes() == b"mine=1 # \xff\n\n"


def test_a_change_that_was_not_to_blame_is_put_in_again(session: Session, home: Path, rc: Path) -> None:
    perform(session, (WriteFile(str(rc), b"new\n", 0o600),), paths=(str(rc),))
    assert judged(session, "back", "forth") == [("back", str(rc)), ("forth", str(rc))]
    assert (rc.read_bytes(), rc.stat().st_mode & 0o7777) == (b"new\n", 0o600)
    assert guards(home) == []


def test_without_a_verdict_the_host_puts_it_back(session: Session, home: Path, rc: Path) -> None:
    """The stream has ended, the connection stands, and nobody says anything."""
    perform(session, (WriteFile(str(rc), b"exit\n", 0o600),), paths=(str(rc),), guard_s=SHORT_S)
    wait_for(lambda: (home / ".provision/guard").exists() and guards(home)[0].endswith(".back"))
    wait_for(lambda: rc.read_bytes() == b"mine=1 # \xff\n\n")
    wait_for(lambda: any((home / ".provision/guard").glob("*/note")))
    assert rc.stat().st_mode & 0o7777 == 0o640
    assert judged(session, "keep", "drop") == [("back", str(rc))], "a verdict that comes too late is told so"
    assert guards(home) == []


def test_when_the_connection_is_gone_the_host_puts_it_back(session: Session, home: Path, rc: Path) -> None:
    """And the next session tells it, and clears it away."""
    perform(session, (WriteFile(str(rc), b"exit\n", 0o600),), paths=(str(rc),), guard_s=SHORT_S)
    watchdog = dog(home)
    session.close()
    wait_for(lambda: not runs(watchdog))
    assert rc.read_bytes() == b"mine=1 # \xff\n\n"
    again = Session(session._transport, run_id="run-2", owner="tests")
    told = [("back", str(rc))]
    assert [(r.what, r.path) for r in again.guard(look_at_guards(finish=False))] == told
    assert [(r.what, r.path) for r in again.guard(look_at_guards(finish=True))] == told
    assert guards(home) == []
    again.close()


def test_the_clock_stands_still_while_the_stream_goes_on(session: Session, home: Path, rc: Path) -> None:
    """A build that takes longer than the guard waits is no missing verdict."""
    steps = [
        Turn(0, (WriteFile(str(rc), b"new\n", 0o600),), guarded=(Guarded(str(rc)),), guard_s=SHORT_S),
        Turn(1, (Run(("/bin/sleep", "3.5")),)),
    ]
    list(session.perform(steps))
    assert judged(session, "keep") == [("kept", "")]
    assert rc.read_bytes() == b"new\n"


def test_a_killed_watchdog_is_stood_in_for_by_the_next_run(session: Session, home: Path, rc: Path) -> None:
    """Everything of the run that made the change was killed: the next one takes it back before it does anything."""
    perform(session, (WriteFile(str(rc), b"exit\n", 0o600),), paths=(str(rc),))
    os.kill(dog(home), signal.SIGKILL)
    session.close()
    again = Session(session._transport, run_id="run-2", owner="tests")
    assert again.guard(look_at_guards(finish=False)) == []
    assert rc.read_bytes() == b"exit\n", "who only looks changes nothing"
    told = [(r.what, r.path) for r in again.guard(look_at_guards(finish=True))]
    assert told == [("back", str(rc))]
    assert rc.read_bytes() == b"mine=1 # \xff\n\n"
    assert guards(home) == []
    again.close()


def test_the_next_run_does_not_wait_for_the_watchdog(session: Session, home: Path, rc: Path) -> None:
    """It would take the change back in the middle of that run, which has found it there and built on it."""
    perform(session, (WriteFile(str(rc), b"exit\n", 0o600),), paths=(str(rc),))
    watchdog = dog(home)
    session.close()
    again = Session(session._transport, run_id="run-2", owner="tests")
    assert again.guard(look_at_guards(finish=False)) == []
    assert [(r.what, r.path) for r in again.guard(look_at_guards(finish=True))] == [("back", str(rc))]
    assert rc.read_bytes() == b"mine=1 # \xff\n\n"
    wait_for(lambda: not runs(watchdog))
    assert guards(home) == []
    again.close()


def test_the_guard_of_a_run_that_lives_is_left_to_it(session: Session, home: Path, rc: Path) -> None:
    perform(session, (WriteFile(str(rc), b"new\n", 0o600),), paths=(str(rc),))
    other = Session(session._transport, run_id="run-2", owner="tests")
    assert other.guard(look_at_guards(finish=False)) == []
    assert [reply.what for reply in other.guard(look_at_guards(finish=True))] == ["busy"]
    same = Session(session._transport, run_id="run-1", owner="tests")
    assert same.guard(look_at_guards(finish=True)) == [], "another host of the same run"
    same.close()
    other.close()
    assert rc.read_bytes() == b"new\n"
    assert judged(session, "keep") == [("kept", "")]


def test_a_restore_that_was_cut_short_is_finished(session: Session, home: Path, rc: Path) -> None:
    """The watchdog was killed after it had taken the decision and before it had acted on it."""
    perform(session, (WriteFile(str(rc), b"exit\n", 0o600),), paths=(str(rc),))
    watchdog = dog(home)
    os.kill(watchdog, signal.SIGKILL)
    (folder,) = (home / ".provision/guard").iterdir()
    session.close()
    folder.rename(f"{folder}.back")
    (folder.with_name(f"{folder.name}.back") / "busy").unlink(missing_ok=True)
    again = Session(session._transport, run_id="run-2", owner="tests")
    assert [(r.what, r.path) for r in again.guard(look_at_guards(finish=True))] == [("back", str(rc))]
    assert rc.read_bytes() == b"mine=1 # \xff\n\n"
    again.close()


def test_another_host_of_the_run_goes_back_to_before_the_run(session: Session, home: Path, rc: Path) -> None:
    """Two nodes with one home change the same file: what the second finds is not what was there before."""
    perform(session, (WriteFile(str(rc), b"one\n", 0o640),), paths=(str(rc),))
    other = Session(session._transport, run_id="run-1", owner="tests (run run-1)")
    perform(other, (WriteFile(str(rc), b"two\n", 0o640),), paths=(str(rc),))
    assert judged(session, "back", "drop") == [("left", str(rc))]
    assert judged(other, "back", "drop") == [("back", str(rc))]
    assert rc.read_bytes() == b"mine=1 # \xff\n\n"
    other.close()


def test_what_cannot_be_kept_is_not_changed(session: Session, home: Path, rc: Path) -> None:
    (home / ".provision").mkdir()
    (home / ".provision/guard").write_text("in the way")
    replies = perform(session, (WriteFile(str(rc), b"new\n", 0o600),), paths=(str(rc),))
    (failed,) = [reply for reply in replies if isinstance(reply, StepFailed)]
    assert "lockout guard" in failed.why
    assert rc.read_bytes() == b"mine=1 # \xff\n\n"


def test_shells_that_were_caught_in_a_loop_are_ended(session: Session, rc: Path) -> None:
    """Those with the word of a fresh login in their arguments; not others."""
    perform(session, (WriteFile(str(rc), b"exit\n", 0o600),), paths=(str(rc),))
    loop = "while sleep 1; do :; done # "
    caught, other = (
        subprocess.Popen(["/bin/sh", "-c", loop + word], start_new_session=True) for word in ("m-1", "m-2")
    )
    try:
        session.guard(judge_guard("back", ["m-1"]))
        assert caught.wait(10) == -signal.SIGKILL
        assert other.poll() is None
    finally:
        for process in (caught, other):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    assert rc.read_bytes() == b"mine=1 # \xff\n\n"
    judged(session, "drop")


def test_no_guard_without_a_guarded_step(session: Session, home: Path, rc: Path) -> None:
    list(session.perform([Turn(0, (WriteFile(str(rc), b"new\n", 0o600),))]))
    assert not (home / ".provision/guard").exists()
    with contextlib.suppress(FileNotFoundError):
        assert list((home / ".provision/runs").iterdir()) == []
