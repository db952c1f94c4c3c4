"""The opening of a line where a start-up file has read, closed or prints, in every shell that may be /bin/sh."""

from __future__ import annotations

import subprocess
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scupi_provision.errors import LoginShellError
from scupi_provision.run.greeting import MOST_NOISE, Manner, open_line
from scupi_provision.run.login_shell import LoginFailure, explained
from scupi_provision.shell.program import bootstrap, frame, preface
from scupi_provision.transport.local import LocalTransport

PROGRAM = frame("echo it-runs >&3\n")
_PATIENCE_S = 2
LOGIN = {"HOME": "/", "PATH": "/usr/bin:/bin"}


class After:
    """A local transport on which something happens before the command, as start-up files do."""

    way = "jump"
    explanation = ""

    def __init__(self, start_up: str, shell: str = "/bin/sh") -> None:
        self._inner = LocalTransport(LOGIN)
        self._start_up = start_up
        self._shell = shell
        self.opened = 0

    @property
    def alive(self) -> bool:
        return self._inner.alive

    def open_shell(self, command: str):
        self.opened += 1
        return self._inner.open_shell(f"{self._start_up}\n{command.replace('/bin/sh', self._shell, 1)}")

    def close(self) -> None:
        self._inner.close()


@pytest.fixture
def after(shell, request):
    """`after(start_up)`: a transport in each of the shells."""
    opened = []
    path = f"/bin/{shell}"
    if shell == "busybox":
        path = f"{request.getfixturevalue('applets')}/ash"

    def make(start_up: str) -> After:
        opened.append(After(start_up, path))
        return opened[-1]

    yield make
    for each in opened:
        each.close()


def _answer(transport, **options) -> bytes:
    """What the program says, on a line that is opened so."""
    line = open_line(transport, PROGRAM, **options)
    said = line.rest
    while b"\n" not in said:
        said += line.channel.receive(5) or b""
    line.channel.close()
    return said


@pytest.mark.parametrize(
    "start_up", ["", "read -r a", "echo noise", "printf unended", "exec 2>&-", "unset HOME", "umask 777"]
)
def test_the_program_runs_after_what_does_no_harm(after, start_up):
    transport = after(start_up)
    assert _answer(transport) == b"it-runs\n"
    assert transport.opened == 1


@pytest.mark.parametrize("bytes_eaten", [5, 100, 1500, len(preface("0" * 16)) + 20, len(preface("0" * 16)) + 80])
def test_what_a_start_up_file_has_eaten_is_sent_again_when_it_has_ended(after, bytes_eaten):
    """Wherever the cut is: in the empty lines and the bootstrap, or in the program itself."""
    transport = after(f"dd bs=1 count={bytes_eaten} >/dev/null 2>&1")
    assert _answer(transport) == b"it-runs\n"


def test_a_program_that_was_eaten_to_the_last_byte_is_missed_too(after):
    """As by `ssh` without `</dev/null`: nothing is left that could tell."""
    size = len(preface("0" * 16) + PROGRAM)
    transport = after(f"dd bs=1 count={size} >/dev/null 2>&1")
    assert _answer(transport) == b"it-runs\n"
    assert transport.opened == 2


def test_a_program_is_sent_later_when_that_is_asked_for(after):
    assert _answer(after("dd bs=1 count=10 >/dev/null 2>&1"), manner=Manner(later=True)) == b"it-runs\n"


@pytest.mark.parametrize(
    ("start_up", "words"),
    [
        ("sleep 5", "not ended after 2 s"),
        ("cat >/dev/null", "not ended after 2 s"),
        ("echo over; exit 4", "ended the shell"),
        ("exec </dev/null", "closed standard input"),
        ("exec yes", "print without end"),
        ("yes | tr -d '\\n'", "print without end"),
    ],
)
def test_what_keeps_the_program_from_running_is_said_in_time(after, start_up, words):
    begin = time.monotonic()
    with pytest.raises(LoginShellError, match=words) as caught:
        open_line(after(start_up), PROGRAM, patience_s=_PATIENCE_S, account="2021141520001")
    assert time.monotonic() - begin < 10
    assert "provision rescue 2021141520001" in caught.value.diagnostic.hint


def test_a_shell_that_takes_commands_from_us_starts_the_bootstrap(shell, request):
    """As after `exec zsh` in a start-up file. Some read ahead: what they took is missed, and so sent again."""
    path = "/bin/" + shell if shell != "busybox" else f"{request.getfixturevalue('applets')}/ash"
    done = subprocess.run([path], input=preface("abc") + PROGRAM, capture_output=True, check=False, env=LOGIN)
    missed = shell in {"dash", "busybox"}
    assert done.stdout == b"abc hello\n" + (b"abc deaf\n" if missed else b"abc heard\nit-runs\n")


def test_the_bootstrap_is_one_word_for_every_login_shell():
    """No quote that ends it, no history of csh, one line, no backslash that fish would take."""
    text = bootstrap("abc")
    assert text.startswith("exec /bin/sh -c '")
    inner = text.removeprefix("exec /bin/sh -c '").removesuffix("'")
    assert not set("'!\n\\") & set(inner)


@given(st.binary(max_size=200), st.binary(max_size=200))
def test_no_output_of_a_host_makes_an_explanation_fail(printed, said):
    for outcome in ("late", "ended", "flood", "eaten", "deaf"):
        failure = LoginFailure(outcome, 9, printed.decode("utf-8", "replace"), said.decode("utf-8", "replace"), 1)
        assert explained(failure).diagnostic.summary


def test_memory_is_bounded_whatever_is_printed(monkeypatch):
    """Of a stream without end little is kept, although a megabyte is read."""
    with pytest.raises(LoginShellError) as caught:
        open_line(After("yes"), PROGRAM)
    assert len(str(caught.value.diagnostic)) < MOST_NOISE / 100
