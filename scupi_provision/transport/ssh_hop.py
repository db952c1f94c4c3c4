"""One SSH login: opened with Fabric, directly or through the hop before, and ended."""

from __future__ import annotations

import socket
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import fabric
import paramiko

from scupi_provision.transport.base import Hop
from scupi_provision.transport.failures import CONNECTION_ERRORS, dialling_failed, forwarding_failed, handshake_failed
from scupi_provision.transport.hop_transport import DISABLED_ALGORITHMS, HopTransport
from scupi_provision.transport.host_keys import HostKeyJudge
from scupi_provision.transport.known_hosts import HostKey
from scupi_provision.transport.login import Login
from scupi_provision.transport.shared_hops import Lease
from scupi_provision.transport.user_keys import UserKey

_AUTHENTICATION_S = 30.0  # some sites ask an LDAP server that takes its time
_CLOSE_S = 1.5


@dataclass(frozen=True)
class Link:
    """One open hop."""

    hop: Hop
    connection: fabric.Connection
    transport: HopTransport

    @property
    def usable(self) -> bool:
        """Whether its SSH session stands."""
        return self.transport.is_active()


class _JudgingPolicy(paramiko.MissingHostKeyPolicy):
    """Asked about every key, because we never load keys into paramiko's own store; raising refuses the host."""

    def __init__(self, judge: HostKeyJudge) -> None:
        self._judge = judge

    def missing_host_key(self, client: paramiko.SSHClient, hostname: str, key: paramiko.PKey) -> None:  # noqa: ARG002 - paramiko's signature
        self._judge.check(HostKey(key.get_name(), key.asbytes()))


def open_hop(hop: Hop, judge: HostKeyJudge, keys: tuple[UserKey, ...], gateway: Link | None) -> Link:
    """Open one login, through `gateway` unless that is None; the host's key is judged before anything is said to it.

    Raises:
        UnreachableError: It cannot be opened; HostKeyError and AuthenticationError are kinds of it.
    """
    connection = _connection(hop, judge, keys, gateway)
    if gateway is None:
        connection.connect_kwargs["sock"] = _dial(hop)
    try:
        connection.open()
    except CONNECTION_ERRORS as error:
        transport = connection.client.get_transport()
        connection.client.close()
        if transport is None and gateway is not None:
            raise forwarding_failed(error, hop, gateway.hop, gateway.transport) from error
        raise handshake_failed(error, hop, transport) from error
    except BaseException:
        connection.client.close()
        raise
    return Link(hop, connection, connection.transport)


def _connection(hop: Hop, judge: HostKeyJudge, keys: tuple[UserKey, ...], gateway: Link | None) -> fabric.Connection:
    connect_kwargs: dict[str, Any] = {
        "timeout": hop.connect_timeout_s,
        "banner_timeout": hop.connect_timeout_s,
        "channel_timeout": hop.connect_timeout_s,
        "auth_timeout": _AUTHENTICATION_S,
        "look_for_keys": False,
        "allow_agent": False,  # `Login` asks the agent itself, where the hop allows it
        "disabled_algorithms": DISABLED_ALGORITHMS,
        "transport_factory": partial(HopTransport, preferred_kinds=judge.preferred_kinds),
        "auth_strategy": Login(hop, judge, keys),
    }
    # `lazy` and an SSHConfig of our own: no fabric.yml and no ssh_config of the user or the system is read.
    config = fabric.Config(lazy=True, ssh_config=paramiko.SSHConfig())
    connection = fabric.Connection(
        host=hop.address,
        user=hop.user or None,
        port=hop.port,
        config=config,
        gateway=gateway.connection if gateway else False,
        forward_agent=False,
        connect_kwargs=connect_kwargs,
    )
    connection.client.set_missing_host_key_policy(_JudgingPolicy(judge))
    return connection


def _dial(hop: Hop) -> socket.socket:
    """TCP to the first hop. Nagle's algorithm is off: it would hold the program back until exec was acknowledged."""
    try:
        sock = socket.create_connection((hop.address, hop.port), timeout=hop.connect_timeout_s)
    except OSError as error:
        raise dialling_failed(error, hop) from error
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def give_back(leases: Sequence[Lease[Link]]) -> None:
    """Close those that nobody else uses politely, the last hop first; then cut.

    Saying goodbye blocks when the link is stuck, so it has a limit.
    """
    unused = [lease.link for lease in reversed(leases) if lease.release()]
    if not unused:
        return
    closer = threading.Thread(target=_close_politely, args=(unused,), name="provision-close", daemon=True)
    closer.start()
    closer.join(_CLOSE_S)
    cut(unused[-1])


def _close_politely(links: Sequence[Link]) -> None:
    for link in links:
        _hang_up(link)


def _hang_up(link: Link) -> None:
    try:
        link.connection.close()
    except CONNECTION_ERRORS:
        return  # already gone


def cut(link: Link) -> None:
    """End what a hop's bytes travel on, and with it all hops behind it. paramiko's threads then end by themselves."""
    carrier = link.transport.sock
    if isinstance(carrier, paramiko.Channel):
        # Closing a channel says so to the hop before, which blocks when that one is stuck too.
        threading.Thread(target=_cut_channel, args=(carrier,), name="provision-cut", daemon=True).start()
        return
    try:
        carrier.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # it was closed already


def _cut_channel(carrier: paramiko.Channel) -> None:
    try:
        carrier.close()
    except CONNECTION_ERRORS:
        return  # the hop before is gone, and the channel with it
