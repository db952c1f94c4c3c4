"""A hop that several routes of a run go through is logged in to once, and lives as long as one of them does."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest
from loopback import Proxy, SshServer
from scupi_provision.errors import UnreachableError
from scupi_provision.transport.base import Hop
from scupi_provision.transport.shared_hops import SharedHops
from scupi_provision.transport.ssh import connect

WAY = (Hop("admin1", "a"),)


@dataclass
class Opened:
    """Stands for an open hop."""

    usable: bool = True


def test_many_threads_open_a_hop_once():
    hops, opened = SharedHops(), []
    together = threading.Barrier(6)

    def opener():
        time.sleep(0.05)
        opened.append(Opened())
        return opened[-1]

    def take(_):
        together.wait(5)
        return hops.lease(WAY, opener)

    with ThreadPoolExecutor(6) as pool:
        leases = list(pool.map(take, range(6)))
    assert len(opened) == 1
    assert [lease.release() for lease in leases] == [False] * 5 + [True]


def test_a_failure_is_told_to_everybody_who_waited_and_then_forgotten():
    hops, attempts = SharedHops(), []
    together = threading.Barrier(3)

    def opener():
        attempts.append(1)
        time.sleep(0.2)
        raise UnreachableError("no")

    def take(_):
        together.wait(5)
        with pytest.raises(UnreachableError):
            hops.lease(WAY, opener)

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(take, range(3)))
    assert len(attempts) == 1
    assert hops.lease(WAY, Opened).release()


def test_a_hop_that_has_died_is_opened_again():
    hops = SharedHops()
    first = hops.lease(WAY, Opened)
    first.link.usable = False
    second = hops.lease(WAY, Opened)
    assert second.link is not first.link
    assert second.release()
    assert first.release()


@pytest.fixture
def nodes(keys):
    """A jump and a server behind it."""
    with SshServer([keys.other_host], [keys.user]) as jump, SshServer([keys.host], [keys.user]) as server:
        yield jump, server


def _answers(transport):
    channel = transport.open_shell("echo here")
    try:
        return channel.receive(10) == b"here\n"
    finally:
        channel.close()


def test_routes_share_their_jump_until_the_last_of_them_is_closed(nodes, keys, hop, known_hosts):
    jump, server = nodes
    known = known_hosts((server.port, keys.host), (jump.port, keys.other_host))
    admin, gpu = hop(jump.port, known), hop(server.port, known, name="gpu2")
    hops = SharedHops()
    first = connect((admin,), hops=hops)
    second = connect((admin, gpu), hops=hops)
    assert jump.observed.connections == server.observed.connections == 1
    assert _answers(first)
    first.close()
    first.close()
    assert _answers(second)
    third = connect((admin, gpu), hops=hops)
    second.close()
    assert _answers(third)
    assert jump.observed.connections == server.observed.connections == 1
    third.close()
    again = connect((admin,), hops=hops)
    assert jump.observed.connections == 2
    again.close()


def test_another_hop_of_the_same_name_is_not_shared(nodes, keys, hop, known_hosts):
    jump, _ = nodes
    known = known_hosts((jump.port, keys.other_host))
    hops = SharedHops()
    one, other = connect((hop(jump.port, known),), hops=hops), connect((hop(jump.port, known, user="b"),), hops=hops)
    assert jump.observed.connections == 2
    one.close()
    other.close()


def test_a_silent_host_does_not_take_its_jump_away_from_others(nodes, keys, hop, known_hosts):
    jump, server = nodes
    with Proxy(server.port) as between:
        known = known_hosts((between.port, keys.host), (jump.port, keys.other_host))
        admin, gpu = hop(jump.port, known), hop(between.port, known, name="gpu2")
        hops = SharedHops()
        first = connect((admin,), hops=hops)
        second = connect((admin, gpu), hops=hops, heartbeat_interval_s=0.1, heartbeat_deadline_s=0.4)
        between.freeze()
        deadline = time.monotonic() + 10
        while second.alive and time.monotonic() < deadline:
            time.sleep(0.05)
        with pytest.raises(UnreachableError, match="gpu2"):
            second.open_shell("true")
        assert first.alive
        assert _answers(first)
        second.close()
        first.close()
