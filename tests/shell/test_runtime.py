"""The runtime does the same in dash, bash, mksh and busybox: what it reads, what it does, what it refuses."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scupi_provision.host.snapshot import Needs, Snapshot
from scupi_provision.run.session import Session
from scupi_provision.shell.actions import (
    Action,
    CopyFile,
    Link,
    Mkdir,
    Recheck,
    Remove,
    Run,
    SetMode,
    Touch,
    WriteFile,
)
from scupi_provision.shell.compile import Turn
from scupi_provision.shell.entry import ABSENT, Entry, Kind
from scupi_provision.shell.replies import (
    NoteReply,
    ProgressReply,
    Reply,
    RunReply,
    StepBegun,
    StepDone,
    StepFailed,
    StepStale,
)

AWKWARD = [
    "plain",
    "a b",
    "it's",
    "$HOME",
    "`id`",
    "-n",
    "*",
    "new\nline",
    "tab\there",
    "ünï",
    "日本",
    "back\\slash",
    '"q"',
]
HOSTILE = b"'\";$(){}\n\t*?[]~!#&|<>\\ `id` $(id) %s \x01\x7f\x81\x88\xff\x00end"


def perform(session: Session, *actions: Action) -> list[Reply]:
    return [r for r in session.perform([Turn(0, list(actions))]) if not isinstance(r, StepBegun | ProgressReply)]


def read(session: Session, *, entries: list[Path] = [], contents: list[Path] = [], names: str = "") -> Snapshot:  # noqa: B006
    snapshot = Snapshot()
    needs = Needs()
    needs.entries.update(dict.fromkeys(map(str, entries)))
    needs.contents.update(dict.fromkeys(map(str, contents)))
    if names:
        needs.names[names] = None
    session.read(needs, snapshot)
    return snapshot


def test_facts(session: Session, home: Path) -> None:
    snapshot = Snapshot()
    session.read(Needs(facts=True), snapshot)
    assert snapshot.facts is not None
    assert snapshot.facts.home == str(home)
    assert snapshot.facts.variables()["architecture"] == os.uname().machine
    assert session.wire.round_trips == 2


def test_reads_every_kind_under_awkward_names(session: Session, home: Path) -> None:
    for name in AWKWARD:
        (home / name).write_bytes(HOSTILE)
        (home / name).chmod(0o640)
    (home / "dir").mkdir(mode=0o750)
    (home / "link").symlink_to("it's")
    (home / "dangling").symlink_to("no where\nelse")
    os.mkfifo(home / "fifo")
    paths = [home / name for name in [*AWKWARD, "dir", "link", "dangling", "fifo", "absent"]]
    snapshot = read(session, entries=paths, contents=paths)
    digest = hashlib.sha256(HOSTILE).hexdigest()
    for name in AWKWARD:
        assert snapshot.entries[str(home / name)] == Entry(Kind.FILE, 0o640, len(HOSTILE), digest), name
        assert snapshot.contents[str(home / name)] == HOSTILE, name
    assert snapshot.entries[str(home / "dir")] == Entry(Kind.DIRECTORY, 0o750)
    assert snapshot.entries[str(home / "link")] == Entry(Kind.LINK, target="it's")
    assert snapshot.entries[str(home / "dangling")] == Entry(Kind.LINK, target="no where\nelse")
    assert snapshot.entries[str(home / "fifo")].kind is Kind.OTHER
    assert snapshot.entries[str(home / "absent")] == ABSENT


def test_reads_a_thousand_files_in_one_exchange(session: Session, home: Path) -> None:
    paths = [home / f"f{number}" for number in range(1000)]
    for path in paths:
        path.write_text(path.name)
    snapshot = read(session, entries=paths, contents=paths)
    assert {snapshot.contents[str(path)].decode() for path in paths} == {path.name for path in paths}
    assert session.wire.round_trips == 2


def test_globs(session: Session, home: Path) -> None:
    for name in ["torch-2.dist-info", "a b.dist-info", ".hidden.dist-info", "other"]:
        (home / name).mkdir()
    snapshot = read(session, names=f"{home}/*.dist-info")
    assert set(snapshot.names[f"{home}/*.dist-info"]) == {f"{home}/torch-2.dist-info", f"{home}/a b.dist-info"}
    assert read(session, names=f"{home}/none*").names == {f"{home}/none*": ()}
    hidden = f"{home}/.*"
    assert set(read(session, names=hidden).names[hidden]) == {f"{home}/.hidden.dist-info"}, "neither . nor .."


def test_writes_files_byte_for_byte(session: Session, home: Path) -> None:
    big = os.urandom(70_000)
    actions = [WriteFile(str(home / name), HOSTILE, 0o604, ABSENT) for name in AWKWARD]
    replies = perform(
        session, *actions, WriteFile(str(home / "big"), big, 0o600), WriteFile(str(home / "0"), b"", 0o600)
    )
    assert replies == [StepDone(0)]
    for name in AWKWARD:
        assert (home / name).read_bytes() == HOSTILE
        assert stat.S_IMODE((home / name).stat().st_mode) == 0o604
    assert (home / "big").read_bytes() == big
    assert (home / "0").read_bytes() == b""
    assert not list(home.glob(".provision-*"))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=300), name=st.text(min_size=1, max_size=20))
def test_any_content_under_any_name(session: Session, home: Path, content: bytes, name: str) -> None:
    if "\0" in name or "/" in name or name in {".", ".."} or len(name.encode("utf-8", "surrogatepass")) > 200:
        return
    path = home / "any" / name
    (home / "any").mkdir(exist_ok=True)
    assert perform(session, WriteFile(str(path), content, 0o600)) == [StepDone(0)]
    assert path.read_bytes() == content
    assert read(session, contents=[path], entries=[path]).contents[str(path)] == content
    path.unlink()


def test_the_other_actions(session: Session, home: Path) -> None:
    (home / "old").mkdir()
    (home / "old" / "x").write_text("x")
    (home / "cur").symlink_to("old")
    replies = perform(
        session,
        Mkdir(f"{home}/d", 0o711, ABSENT),
        WriteFile(f"{home}/d/f", b"1", 0o600, ABSENT),
        CopyFile(f"{home}/d/f", f"{home}/d/g", 0o640, ABSENT),
        SetMode(f"{home}/d/f", 0o444),
        Link(f"{home}/cur", "d", Entry(Kind.LINK, target="old")),
        Remove(f"{home}/old", recursive=True),
        Touch(f"{home}/t", 0o600, ABSENT),
    )
    assert replies == [StepDone(0)]
    assert stat.S_IMODE((home / "d").stat().st_mode) == 0o711
    assert stat.S_IMODE((home / "d/f").stat().st_mode) == 0o444
    assert (home / "cur" / "g").read_text() == "1"
    assert not (home / "old").exists()
    assert (home / "t").read_bytes() == b""


def test_a_guard_that_does_not_hold_stops_before_the_action(session: Session, home: Path) -> None:
    (home / "f").write_text("theirs")
    saw = Entry(Kind.FILE, 0o644, 4, hashlib.sha256(b"mine").hexdigest())
    replies = list(
        session.perform([Turn(3, [WriteFile(f"{home}/f", b"new", 0o600, saw)]), Turn(4, [Touch(f"{home}/n", 0o600)])])
    )
    assert isinstance(replies[-1], StepStale)
    assert replies[-1].step == 3
    assert (home / "f").read_text() == "theirs"
    assert not (home / "n").exists()
    assert list(session.perform([Turn(0, [Recheck(((f"{home}/f", ABSENT),))])]))[-1] == StepStale(
        0, f"{home}/f is now of kind f, the plan saw -"
    )


def test_a_failed_action_stops_the_stream_and_says_why(session: Session, home: Path) -> None:
    replies = list(session.perform([Turn(0, [Mkdir(f"{home}/no/way", 0o700)]), Turn(1, [Touch(f"{home}/n", 0o600)])]))
    assert isinstance(replies[-1], StepFailed)
    assert "cannot make directory" in replies[-1].why
    assert replies[-1].output
    assert not (home / "n").exists()


def test_programs_get_a_clean_environment_and_give_their_output(session: Session, home: Path) -> None:
    script = "echo out; echo err >&2; cat; pwd; env | sort; exit 7"
    run = Run(("/bin/sh", "-c", script), environment=(("X", "a 'b"),), stdin=HOSTILE, fails_when_nonzero=False)
    (reply, done) = perform(session, run)
    assert done == StepDone(0)
    assert isinstance(reply, RunReply)
    assert reply.status == 7
    assert reply.stderr == b"err\n"
    assert HOSTILE in reply.stdout
    assert f"HOME={home}".encode() in reply.stdout
    assert b"X=a 'b" in reply.stdout
    assert b"P_" not in reply.stdout


def test_a_program_that_fails_or_leaves_nothing_behind_is_a_failure(session: Session, home: Path) -> None:
    assert isinstance(perform(session, Run(("/bin/false",)))[-1], StepFailed)
    missing = perform(session, Run(("/bin/true",), creates=(f"{home}/made",)))[-1]
    assert isinstance(missing, StepFailed)
    assert "is not there" in missing.why


def test_a_program_that_takes_too_long_is_ended(session: Session, home: Path) -> None:
    replies = perform(session, Run(("/bin/sh", "-c", "sleep 30; touch ~/late"), timeout_s=1))
    assert isinstance(replies[0], RunReply)
    assert replies[0].status == 124
    assert isinstance(replies[-1], StepFailed)


def test_the_result_of_a_finished_job_is_taken_and_not_made_again(session: Session, home: Path) -> None:
    job = Run(("/bin/sh", "-c", "echo x >>~/count"), durable_key="job-1", creates=(f"{home}/count",))
    assert isinstance(perform(session, job)[-1], StepDone)
    again = perform(session, job)
    assert any(isinstance(reply, NoteReply) for reply in again)
    assert (home / "count").read_text() == "x\n"
    (home / "count").unlink()
    perform(session, job)
    assert (home / "count").read_text() == "x\n"


def test_output_cannot_forge_events(session: Session, home: Path) -> None:
    nonce = session._nonce
    (reply, done) = perform(session, Run(("/bin/sh", "-c", f"echo '{nonce} 1 done 0'; echo '{nonce} 2 end 1' >&2")))
    assert isinstance(reply, RunReply)
    assert done == StepDone(0)


def test_the_lock_of_the_living_is_respected_and_that_of_the_dead_is_taken(session: Session, home: Path) -> None:
    root = home / ".provision"
    root.mkdir()
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    node = os.uname().nodename
    (root / "lock").write_text(f"{node} {boot} {os.getpid()} somebody\n")
    refused = list(session.perform([Turn(0, [Touch(f"{home}/n", 0o600)])]))
    assert [type(reply).__name__ for reply in refused] == ["LockedReply"]
    assert not (home / "n").exists()
    (root / "lock").write_text(f"{node} another-boot {os.getpid()} somebody\n")
    assert isinstance(perform(session, Touch(f"{home}/n", 0o600))[-1], StepDone)
    assert not (root / "lock").exists()
