"""The local transport keeps the same promises as SSH."""

import os
import subprocess
import threading
import time

import pytest
from scupi_provision.errors import UnreachableError
from scupi_provision.transport.local import LocalTransport
from scupi_provision.transport.opening import open_transport

BIG = os.urandom(1024) * 8192


@pytest.fixture
def transport():
    opened = open_transport((), "local")
    yield opened
    opened.close()
    assert not opened.alive


def _all_of(channel):
    pieces = []
    while piece := channel.receive(10):
        pieces.append(piece)
    assert piece == b""
    return b"".join(pieces)


def test_eight_megabytes_go_there_and_back_without_a_second_thread(transport):
    channel = transport.open_shell(f"head -c {len(BIG)}")
    channel.send(BIG)
    assert _all_of(channel) == BIG


def test_receive_gives_none_after_its_timeout(transport):
    channel = transport.open_shell("read line; echo got $line")
    assert channel.receive(0.1) is None
    assert channel.receive(0) is None
    channel.send(b"it\n")
    assert _all_of(channel) == b"got it\n"


def test_stderr_is_kept_apart_and_bounded(transport):
    channel = transport.open_shell(
        "echo out; head -c 100000 /dev/zero | tr '\\0' x >&2; echo last words >&2; sleep 0.1"
    )
    assert _all_of(channel) == b"out\n"
    assert channel.stderr_tail().endswith("xlast words\n")
    assert len(channel.stderr_tail()) == 8192


def test_the_environment_is_that_of_a_login_not_of_our_virtual_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PATH", "/ours")
    monkeypatch.setenv("VIRTUAL_ENV", "/ours")
    monkeypatch.setenv("SECRET_TOKEN", "x")
    transport = LocalTransport()
    output = _all_of(transport.open_shell("pwd; env"))
    transport.close()
    assert output.startswith(f"{tmp_path}\n".encode())
    assert b"/usr/bin" in output
    assert b"/ours" not in output
    assert b"SECRET" not in output


def test_the_shell_runs_in_a_session_of_its_own(transport):
    channel = transport.open_shell("echo $$; exec sleep 60")
    pid = int(channel.receive(10))
    assert os.getsid(pid) == pid != os.getsid(0)


def test_input_that_the_shell_did_not_wait_for_is_an_error(transport):
    channel = transport.open_shell("echo no thanks >&2; exit 3")
    assert _all_of(channel) == b""
    with pytest.raises(UnreachableError, match="ended before it had read its input"):
        channel.send(BIG)


def test_closing_ends_the_shell_s_input(transport, tmp_path):
    channel = transport.open_shell(f"cat >/dev/null; touch {tmp_path}/ended")
    channel.send(b"data")
    channel.close()
    channel.close()
    assert (tmp_path / "ended").exists()
    assert channel.receive(1) == b""


def test_closing_ends_a_shell_that_does_not_listen_and_its_children(transport):
    channel = transport.open_shell("trap '' HUP; sleep 60 & echo $!; wait; sleep 60")
    child = int(channel.receive(10))
    begin = time.monotonic()
    transport.close()
    assert time.monotonic() - begin < 4
    while _state(child) not in ("", "Z") and time.monotonic() - begin < 10:  # killed, and not yet run to its end
        time.sleep(0.02)
    assert _state(child) in ("", "Z")


def _state(pid: int) -> str:
    """The first letter of a process's state, "" when there is none."""
    command = ["ps", "-o", "stat=", "-p", str(pid)]
    return subprocess.run(command, check=False, capture_output=True, text=True).stdout.strip()[:1]


def test_closing_while_another_thread_receives_wakes_it(transport):
    channel = transport.open_shell("exec cat")
    seen = []
    waiting = threading.Thread(target=lambda: seen.append(channel.receive(30)))
    waiting.start()
    channel.close()
    waiting.join(5)
    assert seen == [b""]


def test_a_closed_transport_opens_no_shell(transport):
    transport.close()
    with pytest.raises(UnreachableError):
        transport.open_shell("true")


def test_a_home_that_does_not_exist_is_said():
    with pytest.raises(UnreachableError, match="cannot run"):
        LocalTransport({"HOME": "/no/such/home"}).open_shell("true")
