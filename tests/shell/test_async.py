"""Jobs of `async` in every shell: begun once, joined, ended in time, asked for, followed and removed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from scupi_provision.host.jobs import Job, jobs_in, jobs_of
from scupi_provision.run.session import Session
from scupi_provision.shell import job_words
from scupi_provision.shell.actions import Async, Run
from scupi_provision.shell.compile import Turn
from scupi_provision.shell.replies import NoteReply, Reply, RunReply, StepDone, StepFailed
from scupi_provision.shell.scripts import script

sys.path.insert(0, str(Path(__file__).parents[1] / "e2e"))  # whatever pytest's import mode
from newcomer import comes_true

KEY = "j0123456789ab"
TITLE = "say it's $HOME"


def job(text: str, *, limit_s: int = 30, waits: bool = True, key: str = KEY, fails: bool = True) -> Run:
    terms = Async(limit_s, TITLE, waits=waits)
    return Run(
        ("/bin/sh", "-c", text), durable_key=key, timeout_s=limit_s, fails_when_nonzero=fails, asynchronous=terms
    )


def perform(session: Session, action: Run) -> list[Reply]:
    return list(session.perform([Turn(0, [action])]))


def ran(replies: list[Reply]) -> RunReply:
    (reply,) = [reply for reply in replies if isinstance(reply, RunReply)]
    return reply


def listed(session: Session) -> list[Job]:
    return [job for fact in session.ask(job_words.every_job()) for job in jobs_in(fact.value)]


def state(session: Session) -> str:
    (found,) = listed(session)
    return found.state


def asked(session: Session, mode: str = "status", keep: int = 1000, key: str = KEY) -> Job:
    """What the program of the module async_status tells."""
    ask = script("job_look.sh", "async_status.sh", jid=key, mode=mode, keep=str(keep))
    (found,) = jobs_of(ran(perform(session, Run(ask))).stdout.decode())
    return found


def folder(home: Path) -> Path:
    return home / ".provision/jobs" / KEY


def test_a_job_that_is_waited_for_tells_what_it_said_and_how_it_ended(session: Session) -> None:
    replies = perform(session, job("echo out; echo err >&2; exit 3", fails=False))
    reply = ran(replies)
    assert (reply.status, reply.stdout, reply.stderr) == (3, b"out\n", b"err\n")
    assert len(reply.times) == 2
    assert isinstance(replies[-1], StepDone)


def test_a_result_that_was_told_is_not_told_again(session: Session, home: Path) -> None:
    """Nobody means "as last week" by running a playbook anew."""
    for _ in range(2):
        perform(session, job("echo x >>~/count"))
    assert (home / "count").read_text() == "x\nx\n"


def test_a_result_that_nobody_was_told_is_taken(session: Session, home: Path) -> None:
    perform(session, job("echo x >>~/count; echo said"))
    (folder(home) / "told").unlink()  # as if the line had been lost at that moment
    replies = perform(session, job("echo x >>~/count; echo said"))
    assert ran(replies).stdout == b"said\n"
    assert any(isinstance(reply, NoteReply) for reply in replies)
    assert (home / "count").read_text() == "x\n"


def test_a_job_that_is_left_running_is_joined_and_not_begun_twice(session: Session, home: Path) -> None:
    text = "echo x >>~/count; while ! [ -e ~/go ]; do sleep 0.1; done; echo said"
    assert isinstance(perform(session, job(text, waits=False))[-1], StepDone)
    perform(session, job(text, waits=False))
    assert state(session) == "running"
    (home / "go").touch()
    assert ran(perform(session, job(text))).stdout == b"said\n"
    assert (home / "count").read_text() == "x\n"


def test_with_poll_0_what_has_ended_is_begun_anew(session: Session, home: Path) -> None:
    for count in (1, 2):
        perform(session, job("echo x >>~/count", waits=False))
        assert comes_true(lambda: state(session) == "done", 10)
        assert (home / "count").read_text() == "x\n" * count


def test_whoever_waits_hears_that_the_time_is_over_and_nothing_of_the_job_goes_on(session: Session, home: Path) -> None:
    replies = perform(session, job("(sleep 3; : >~/late) & sleep 30", limit_s=1))
    assert isinstance(replies[-1], StepFailed)
    assert "did not complete within the requested time - 1s" in replies[-1].why
    assert listed(session)[0].timed_out
    assert not comes_true((home / "late").exists, 4)


def test_a_job_that_nobody_waits_for_is_ended_in_time_too(session: Session) -> None:
    perform(session, job("trap '' TERM; echo begun; while :; do sleep 1; done", limit_s=1, waits=False))
    assert comes_true(lambda: state(session) == "done", 15)
    told = asked(session)
    assert (told.status, told.timed_out, told.limit_s, told.out) == (124, True, 1, b"begun\n")


def test_jobs_are_listed_with_what_they_are(session: Session) -> None:
    assert listed(session) == []
    perform(session, job("sleep 0.1; echo out; exit 4", waits=False))
    assert comes_true(lambda: state(session) == "done", 10)
    (found,) = listed(session)
    assert (found.name, found.status, found.title, found.limit_s) == (KEY, 4, TITLE, 30)
    assert len(found.times) == 2
    assert found.node


def test_the_end_of_a_long_output_is_told_and_any_bytes_come_as_they_are(session: Session) -> None:
    perform(session, job("printf 'long\\0\\377 \\nend'; echo more >&2", waits=False))
    assert comes_true(lambda: state(session) == "done", 10)
    assert (asked(session).out, asked(session).err) == (b"long\x00\xff \nend", b"more\n")
    assert asked(session, keep=3).out == b"end"


def test_output_is_followed_from_where_it_was_left(session: Session) -> None:
    perform(session, job("printf 0123456789; printf abc >&2", waits=False))
    assert comes_true(lambda: state(session) == "done", 10)
    ((piece,),) = [jobs_in(fact.value) for fact in session.ask(job_words.more_of(KEY, 4, 3, 5))]
    assert (piece.out, piece.err) == (b"45678", b"")
    assert not [job for fact in session.ask(job_words.more_of("none", 0, 0, 5)) for job in jobs_in(fact.value)]


def test_a_job_that_was_killed_is_gone(session: Session, home: Path) -> None:
    perform(session, job("sleep 60", waits=False))
    assert comes_true((folder(home) / "pid").exists, 10)
    leader = (folder(home) / "pid").read_text().split()[0]
    subprocess.run(["kill", "-KILL", "--", f"-{leader}"], check=True)
    assert comes_true(lambda: state(session) == "gone", 10)
    assert asked(session).has_ended


def test_a_job_of_another_node_cannot_be_judged_here(session: Session, home: Path) -> None:
    folder(home).mkdir(parents=True)
    (folder(home) / "pid").write_text("1 some-boot other-node\n")
    (found,) = listed(session)
    assert (found.state, found.node) == ("elsewhere", "other-node")
    assert not found.has_ended


def test_what_a_job_has_left_is_removed_when_it_has_ended_and_not_before(session: Session, home: Path) -> None:
    perform(session, job("while ! [ -e ~/go ]; do sleep 0.1; done", waits=False))
    assert asked(session, "cleanup").state == "running"
    (home / "go").touch()
    assert comes_true(lambda: state(session) == "done", 10)
    assert asked(session, "cleanup").state == "erased"
    assert not folder(home).exists()
    assert asked(session).state == "missing"


def test_jobs_that_ended_long_ago_make_room_for_the_next(session: Session, home: Path) -> None:
    """Only those of `async`: the long programs of other modules are known by what they make."""
    jobs = home / ".provision/jobs"
    for name, days in (("j0old", 9), ("j0young", 2), ("make-git", 9)):
        (jobs / name).mkdir(parents=True)
        for file in ("limit", "rc") if name.startswith("j0") else ("rc",):
            (jobs / name / file).write_text("0\n")
            subprocess.run(["touch", "-d", f"{days} days ago", jobs / name / file], check=True)
    (jobs / "j0running").mkdir()
    (jobs / "j0running/limit").write_text("9\n")
    perform(session, job("true"))
    assert sorted(path.name for path in jobs.iterdir()) == [KEY, "j0running", "j0young", "make-git"]
