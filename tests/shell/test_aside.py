"""Programs that are left running: the stream goes on beside them, and each ends as if it had been waited for."""

from __future__ import annotations

from pathlib import Path

from scupi_provision.run.session import Session
from scupi_provision.shell.actions import Mkdir, Run, Touch
from scupi_provision.shell.compile import Turn
from scupi_provision.shell.replies import ProgressReply, Reply, RunReply, StepBegun, StepDone, StepFailed


def job(text: str, key: str, home: Path, made: str, *, timeout_s: int = 60) -> Run:
    path = f"{home}/{made}"
    return Run(("/bin/sh", "-c", text), durable_key=key, creates=(path,), writes=(path,), timeout_s=timeout_s)


WHEN_D = "while ! [ -e ~/d ]; do sleep 0.1; done; "


def words(replies: list[Reply]) -> list[str]:
    """`begin 0`, `ran 0`, `done 0`, … in the order in which they came."""
    names = {StepBegun: "begin", RunReply: "ran", StepDone: "done", StepFailed: "failed"}
    return [f"{names[type(reply)]} {reply.step}" for reply in replies if type(reply) in names]  # type: ignore[union-attr]


def test_the_stream_goes_on_until_the_program_is_needed(session: Session, home: Path) -> None:
    """The program waits for what the next step makes: in the old order it would never end."""
    waits = job("while ! [ -e ~/go ]; do sleep 0.1; done; echo made >~/made", "waits", home, "made", timeout_s=20)
    needs = Run(("/bin/sh", "-c", "cat ~/made"))
    stream = [Turn(0, [waits], aside=True), Turn(1, [Touch(f"{home}/go", 0o600)]), Turn(2, [needs], after=(0,))]
    replies = list(session.perform(stream))
    assert words(replies) == ["begin 0", "begin 1", "done 1", "ran 0", "done 0", "begin 2", "ran 2", "done 2"]
    assert [reply.stdout for reply in replies if isinstance(reply, RunReply)] == [b"", b"made\n"]


def test_what_nobody_needs_is_waited_for_at_the_end(session: Session, home: Path) -> None:
    stream = [Turn(0, [job(WHEN_D + ": >~/a", "a", home, "a")], aside=True), Turn(1, [Mkdir(f"{home}/d", 0o700)])]
    assert words(list(session.perform(stream))) == ["begin 0", "begin 1", "done 1", "ran 0", "done 0"]
    assert (home / "a").exists()


def test_two_programs_aside_tell_of_themselves_while_a_third_is_in_hand(session: Session, home: Path) -> None:
    """Only one process writes to the line at a time, so nothing is torn."""
    text = 'echo "at $0"; while ! [ -e ~/go ]; do sleep 0.1; done; : >~/{}'
    stream = [
        Turn(0, [job(text.format("a"), "a", home, "a")], aside=True),
        Turn(1, [job(text.format("b"), "b", home, "b")], aside=True),
        Turn(2, [Run(("/bin/sh", "-c", "sleep 2; : >~/go"))]),
    ]
    replies = list(session.perform(stream))
    assert words(replies)[-6:] == ["ran 2", "done 2", "ran 0", "done 0", "ran 1", "done 1"]
    assert {reply.step for reply in replies if isinstance(reply, ProgressReply)} >= {0, 1, 2}


def test_a_failure_aside_stops_what_follows_where_it_is_noticed(session: Session, home: Path) -> None:
    stream = [
        Turn(0, [job(WHEN_D + "exit 3", "bad", home, "bad")], aside=True),
        Turn(1, [Mkdir(f"{home}/d", 0o700)]),
        Turn(2, [Touch(f"{home}/behind", 0o600)], after=(0,)),
    ]
    replies = list(session.perform(stream))
    assert words(replies) == ["begin 0", "begin 1", "done 1", "ran 0", "failed 0"]
    assert not (home / "behind").exists()


def test_a_failure_in_hand_waits_for_what_runs_aside(session: Session, home: Path) -> None:
    """Whatever happens, the stream ends with nothing of it at work, and each step has its own word."""
    stream = [
        Turn(0, [job("sleep 2; : >~/a", "a", home, "a")], aside=True),
        Turn(1, [Mkdir(f"{home}/no/way", 0o700)]),
        Turn(2, [Touch(f"{home}/never", 0o600)]),
    ]
    assert words(list(session.perform(stream))) == ["begin 0", "begin 1", "failed 1", "ran 0", "done 0"]
    assert not (home / "never").exists()


def test_a_program_aside_is_ended_when_its_time_is_over(session: Session, home: Path) -> None:
    stream = [
        Turn(0, [job("sleep 30; : >~/a", "a", home, "a", timeout_s=1)], aside=True),
        Turn(1, [Run(("/bin/true",))]),
    ]
    replies = list(session.perform(stream))
    assert [reply.status for reply in replies if isinstance(reply, RunReply)] == [0, 124]
    assert isinstance(replies[-1], StepFailed)
    assert "longer than 1 s" in replies[-1].why


def test_a_finished_program_is_not_made_again(session: Session, home: Path) -> None:
    """The result of an earlier run is taken aside as well."""
    counted = job("echo x >>~/count", "count", home, "count")
    for _ in range(2):
        stream = [Turn(0, [counted], aside=True), Turn(1, [Touch(f"{home}/beside", 0o600)])]
        assert sorted(words(list(session.perform(stream)))) == ["begin 0", "begin 1", "done 0", "done 1", "ran 0"]
    assert (home / "count").read_text() == "x\n"


def test_what_has_ended_is_told_at_the_next_step_with_the_time_that_it_took(session: Session, home: Path) -> None:
    stream = [
        Turn(0, [job("sleep 1; : >~/a", "a", home, "a")], aside=True),
        Turn(1, [Run(("/bin/sleep", "4"))]),
        Turn(2, [Touch(f"{home}/last", 0o600)]),
    ]
    replies = list(session.perform(stream))
    assert words(replies) == ["begin 0", "begin 1", "ran 1", "done 1", "ran 0", "done 0", "begin 2", "done 2"]
    (beside,) = [reply for reply in replies if isinstance(reply, RunReply) and reply.step == 0]
    assert beside.seconds in {1, 2, 3}


def test_a_failure_aside_ends_the_stream_at_the_next_step(session: Session, home: Path) -> None:
    stream = [
        Turn(0, [job("exit 3", "bad", home, "bad")], aside=True),
        Turn(1, [Run(("/bin/sleep", "2"))]),
        Turn(2, [Touch(f"{home}/never", 0o600)]),
    ]
    assert words(list(session.perform(stream)))[-2:] == ["ran 0", "failed 0"]
    assert not (home / "never").exists()
