"""Bytes over an open transport: all of them, in both directions, and never a lost connection taken for the end."""

import hashlib
import os
import threading
import time

import pytest
from loopback import Proxy, SshServer
from scupi_provision.errors import UnreachableError
from scupi_provision.transport.ssh import connect

BIG = os.urandom(1024) * 8192  # 8 MiB


@pytest.fixture
def server(keys):
    with SshServer([keys.host], [keys.user]) as running:
        yield running


@pytest.fixture
def proxy(server):
    with Proxy(server.port) as running:
        yield running


@pytest.fixture
def transport(proxy, hop, known_hosts, keys):
    opened = connect((hop(proxy.port, known_hosts((proxy.port, keys.host))),))
    yield opened
    opened.close()


@pytest.fixture
def two_hops(proxy, hop, known_hosts, keys):
    """admin1 directly, gpu2 behind it through `proxy`; a lively heartbeat."""
    with SshServer([keys.other_host], [keys.user]) as jump, Proxy(jump.port) as front:
        known = known_hosts((front.port, keys.other_host), (proxy.port, keys.host))
        route = (hop(front.port, known), hop(proxy.port, known, name="gpu2"))
        opened = connect(route, heartbeat_interval_s=0.2, heartbeat_deadline_s=0.6)
        opened.front = front
        yield opened
        opened.close()


def _all_of(channel, timeout_s=10):
    pieces = []
    while piece := channel.receive(timeout_s):
        pieces.append(piece)
    assert piece == b""
    return b"".join(pieces)


def test_eight_megabytes_go_there_and_back(transport):
    channel = transport.open_shell(f"head -c {len(BIG)} | sha256sum; head -c {len(BIG)} /dev/zero")
    channel.send(BIG)
    output = _all_of(channel)
    assert output.startswith(hashlib.sha256(BIG).hexdigest().encode())
    assert output.endswith(b"\0" * len(BIG))


def test_one_thread_may_send_while_another_receives(transport):
    channel = transport.open_shell(f"head -c {len(BIG)}")
    sender = threading.Thread(target=channel.send, args=(BIG,))
    sender.start()
    assert _all_of(channel) == BIG
    sender.join(10)


def test_receive_gives_none_after_its_timeout_and_goes_on(transport):
    channel = transport.open_shell("read line; echo got $line")
    begin = time.monotonic()
    assert channel.receive(0.15) is None
    assert channel.receive(0) is None
    assert 0.15 <= time.monotonic() - begin < 2
    channel.send(b"it\n")
    assert _all_of(channel) == b"got it\n"


def test_stderr_is_kept_apart_and_bounded(transport):
    channel = transport.open_shell("echo out; head -c 100000 /dev/zero | tr '\\0' x >&2; echo last words >&2")
    assert _all_of(channel) == b"out\n"
    assert channel.stderr_tail().endswith("xxx" + "last words\n")
    assert len(channel.stderr_tail()) == 8192


def test_opening_costs_one_round_trip_and_the_command_none(transport, proxy):
    """A flight is everything the client sends before the server says something: one to open, one with the command."""
    before = proxy.flights
    channel = transport.open_shell("echo hello; exec sleep 60")
    assert channel.receive(10) == b"hello\n"
    assert proxy.flights - before == 2


def test_no_heartbeat_is_sent_in_the_first_seconds(transport, proxy):
    before = proxy.flights
    time.sleep(0.3)
    assert proxy.flights == before


def test_several_shells_run_on_one_connection(transport):
    channels = [transport.open_shell(f"echo {number}") for number in range(3)]
    assert [_all_of(channel) for channel in channels] == [b"0\n", b"1\n", b"2\n"]


def test_a_cut_connection_is_not_the_end_of_the_stream(transport, proxy):
    channel = transport.open_shell("echo begun; exec sleep 60")
    assert channel.receive(10) == b"begun\n"
    proxy.cut()
    with pytest.raises(UnreachableError, match=r"connection to admin1 .* was lost"):
        channel.receive(10)
    assert not transport.alive
    with pytest.raises(UnreachableError):
        channel.send(b"x")
    with pytest.raises(UnreachableError):
        transport.open_shell("true")


def test_what_came_before_the_cut_is_still_delivered(transport, proxy):
    channel = transport.open_shell("echo begun; exec sleep 60")
    assert channel.receive(10) == b"begun\n"
    channel2 = transport.open_shell("printf 12345; exec sleep 60")
    time.sleep(0.3)
    proxy.cut()
    time.sleep(0.3)
    assert channel2.receive(10) == b"12345"
    with pytest.raises(UnreachableError):
        channel2.receive(10)


def test_input_that_the_shell_did_not_wait_for_is_an_error(transport):
    channel = transport.open_shell("echo no thanks >&2; exit 3")
    assert _all_of(channel) == b""
    with pytest.raises(UnreachableError, match="ended before it had read its input") as caught:
        channel.send(BIG)
    assert "no thanks" in caught.value.diagnostic.detail


def test_a_server_that_runs_no_commands_is_said(hop, known_hosts, keys):
    with SshServer([keys.host], [keys.user], commands=False) as server:
        transport = connect((hop(server.port, known_hosts((server.port, keys.host))),))
        with pytest.raises(UnreachableError, match="does not run commands"):
            transport.open_shell("true").receive(10)
        transport.close()


def test_closing_ends_the_remote_shell_s_input(transport, tmp_path):
    mark = tmp_path / "ended"
    channel = transport.open_shell(f"cat >/dev/null; touch {mark}")
    channel.send(b"data")
    channel.close()
    channel.close()
    assert channel.receive(1) == b""
    deadline = time.monotonic() + 5
    while not mark.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert mark.exists()


def _seconds_until_lost(transport, name):
    channel = transport.open_shell("echo begun; exec sleep 60")
    assert channel.receive(10) == b"begun\n"
    yield
    begin = time.monotonic()
    with pytest.raises(UnreachableError, match=f"connection to {name} .* was lost") as caught:
        channel.receive(30)
    assert "no sign of life" in caught.value.diagnostic.detail
    assert not transport.alive
    yield time.monotonic() - begin


def test_a_half_open_target_is_noticed_and_named(two_hops, proxy):
    waiting = _seconds_until_lost(two_hops, "gpu2")
    next(waiting)
    proxy.freeze()
    assert next(waiting) < 2


def test_a_half_open_jump_is_noticed_and_named(two_hops):
    waiting = _seconds_until_lost(two_hops, "admin1")
    next(waiting)
    two_hops.front.freeze()
    assert next(waiting) < 2


def test_a_half_open_link_is_noticed_while_sending(two_hops, proxy):
    channel = two_hops.open_shell("exec sleep 60")
    proxy.freeze()
    with pytest.raises(UnreachableError, match="was lost"):
        channel.send(BIG * 8)


def test_a_quiet_link_lives_on(two_hops):
    channel = two_hops.open_shell("sleep 1.5; echo still here")
    assert _all_of(channel) == b"still here\n"
    assert two_hops.alive


def test_no_threads_are_left_behind(server, hop, known_hosts, keys):
    before = set(threading.enumerate())
    transport = connect((hop(server.port, known_hosts((server.port, keys.host))),), heartbeat_interval_s=0.1)
    time.sleep(0.4)
    transport.close()
    deadline = time.monotonic() + 3
    while (left := set(threading.enumerate()) - before) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not [thread for thread in left if "provision" in thread.name or "Transport" in type(thread).__name__]
