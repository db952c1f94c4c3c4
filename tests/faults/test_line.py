"""The line is cut: nothing of a program that came in part is run, and no reply that is missing is taken for "ok"."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
from real_plays import HOME_ONLY, tree
from scupi_provision.errors import UnreachableError
from scupi_provision.host.snapshot import Needs, Snapshot
from scupi_provision.run.session import Session
from scupi_provision.shell.actions import Run, WriteFile
from scupi_provision.shell.compile import INLINE_LIMIT, Turn
from scupi_provision.shell.decode import Decoder
from scupi_provision.shell.replies import DeniedReply, EndReply, StepDone
from scupi_provision.transport.local import LocalChannel, LocalTransport


class Line:
    """A local transport that keeps what was said on it and may lose the end of what is sent."""

    def __init__(self, home: Path, keep: int | None = None) -> None:
        self._inner = LocalTransport({"HOME": str(home), **HOME_ONLY})
        self._keep = keep
        self._channel: Any = None
        self.sent = b""
        self.received = b""
        self.alive = True

    def open_shell(self, command: str) -> Line:
        self._channel: LocalChannel = self._inner.open_shell(command)
        return self

    def send(self, data: bytes) -> None:
        self.sent += data
        self._channel.send(data if self._keep is None else data[: self._keep])
        if self._keep is not None:
            self._channel._process.stdin.close()  # the connection is gone

    def receive(self, timeout_s: float) -> bytes | None:
        data = self._channel.receive(timeout_s)
        self.received += data or b""
        return data

    def stderr_tail(self) -> str:
        return self._channel.stderr_tail()

    def close(self) -> None:
        self._channel.close()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    home = tmp_path / "home"
    home.mkdir()
    return home


def session(line: Line) -> Session:
    return Session(line, run_id="run-1", owner="tests (run run-1)")  # type: ignore[arg-type]


def actions(home: Path) -> list[Turn]:
    return [Turn(number, [WriteFile(f"{home}/f{number}", b"x" * 20, 0o600)]) for number in range(3)]


def test_nothing_of_a_cut_program_runs(home: Path) -> None:
    """Wherever the connection was lost while the program was on its way."""
    whole = Line(home)
    list(session(whole).perform(actions(home)))
    whole.close()
    assert len(tree(home)) == 3
    size = len(whole.sent)
    cuts = [0, 1, 5, 60, *range(100, size - 1, size // 25), size - 2, size - 1]
    for keep in cuts:
        empty = home.parent / f"home-{keep}"
        empty.mkdir()
        line = Line(empty, keep)
        with pytest.raises(UnreachableError):
            list(session(line).perform(actions(empty)))
        line.close()
        assert list(empty.iterdir()) == [], keep


def test_no_reply_that_is_cut_is_taken_for_the_end(home: Path) -> None:
    """Of every beginning of the stream: what it says is true, and it does not say that it is all."""
    line = Line(home)
    open_session = session(line)
    said = list(open_session.perform([*actions(home), Turn(3, [Run(("/bin/echo", "x"))])]))
    line.close()
    nonce = open_session._nonce
    assert said[-1] == StepDone(3)
    for keep in range(len(line.received)):
        replies = list(Decoder(nonce).feed(line.received[:keep]))
        assert not any(isinstance(reply, EndReply) for reply in replies)
        assert replies == said[: len(replies)]
    assert isinstance(list(Decoder(nonce).feed(line.received))[-1], EndReply)


def test_a_stream_that_lost_something_in_the_middle_is_not_believed(home: Path) -> None:
    """Each line in turn is lost: the count or the numbers tell."""
    line = Line(home)
    open_session = session(line)
    list(open_session.perform(actions(home)))
    line.close()
    nonce = open_session._nonce
    # Ahead of the replies come the bootstrap's words, without which no program is sent.
    lines = [each for each in line.received.splitlines(keepends=True) if each.startswith(nonce.encode())]
    for lost in range(len(lines) - 1):
        received = b"".join(lines[:lost] + lines[lost + 1 :])
        assert not _ends(nonce, received), lines[lost]


def _ends(nonce: str, received: bytes) -> bool:
    try:
        return any(isinstance(reply, EndReply) for reply in Decoder(nonce).feed(received))
    except UnreachableError:
        return False


def test_what_cannot_be_kept_is_not_read_as_a_program(home: Path) -> None:
    """A large file that finds no room stays on the line as what it is, although it looks like a program."""
    evil = b"touch ~/owned\n"
    content = b"%d %s\n%s" % (len(evil), hashlib.sha256(evil).hexdigest().encode(), evil)
    content *= INLINE_LIMIT // len(content) + 1
    (home / ".provision").mkdir()
    (home / ".provision/runs").write_text("in the way")
    line = Line(home)
    open_session = session(line)
    replies = list(open_session.perform([Turn(0, [WriteFile(f"{home}/f", content, 0o600)])]))
    assert any(isinstance(reply, DeniedReply) for reply in replies)
    snapshot = Snapshot()
    open_session.read(Needs(entries={f"{home}/f": None}), snapshot)  # the line is still in step
    line.close()
    assert not snapshot.entries[f"{home}/f"].exists
    assert not (home / "owned").exists()
