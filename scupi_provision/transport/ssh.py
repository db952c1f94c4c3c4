"""SSH over one or more hops with Fabric: one Connection per hop, each tunnelled through the one before.

Every session is end to end between the controller and its host: the jump sees ciphertext, no agent is forwarded, no
key is copied. `~/.ssh/config` is not read here; the route says everything.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Literal

import paramiko

from scupi_provision.errors import UnreachableError
from scupi_provision.transport import heartbeat
from scupi_provision.transport.base import Hop, Person, Route, Tell, Transport, untold
from scupi_provision.transport.failures import (
    CONNECTION_ERRORS,
    ForwardingRefusedError,
    NeedsJobError,
    connection_lost,
    shell_refused,
)
from scupi_provision.transport.hop_transport import HopTransport
from scupi_provision.transport.host_keys import HostKeyJudge
from scupi_provision.transport.onward import go_on
from scupi_provision.transport.route import check_route
from scupi_provision.transport.sftp_greeting import sftp_greets
from scupi_provision.transport.shared_hops import Lease, SharedHops
from scupi_provision.transport.ssh_channel import SshChannel
from scupi_provision.transport.ssh_hop import Link, cut, give_back, open_hop
from scupi_provision.transport.streams import STREAM_WINDOW_BYTES, SshStream, StreamRefusedError
from scupi_provision.transport.user_keys import load_user_keys

_WINDOW_BYTES = 64 * 1024 * 1024  # a whole bulk read may be on its way before we acknowledge any of it
_PACKET_BYTES = 64 * 1024


def connect(
    route: Route,
    *,
    person: Person | None = None,
    hops: SharedHops[Any] | None = None,
    tell: Tell = untold,
    heartbeat_interval_s: float = heartbeat.INTERVAL_S,
    heartbeat_deadline_s: float = heartbeat.DEADLINE_S,
) -> Transport:
    """Open every hop of `route`, verifying each host key before anything is said to that host.

    A hop behind another one is reached through it, end to end; where that is refused and `Hop.reach` leaves it open, by
    ssh on it, or by a job.

    Args:
        route: The hops.
        person: Who is asked what only people know; by default nobody is.
        hops: Those that are open already and may be gone through; by default all are opened anew.
        tell: Told what is waited for (a job in a queue).
        heartbeat_interval_s: Seconds between two questions for a sign of life.
        heartbeat_deadline_s: Seconds of silence after which a hop is dead.

    Raises:
        InputError: The route, a key file or a pinned key is unusable; nothing was contacted.
        UnreachableError: A hop cannot be reached; HostKeyError and AuthenticationError are kinds of it.
    """
    check_route(route)
    # Without a handler of its own, logging would print paramiko's errors on stderr beside ours.
    logging.getLogger("paramiko").addHandler(logging.NullHandler())
    prepared = [(hop, HostKeyJudge.for_hop(hop, person), load_user_keys(hop, person)) for hop in route]
    shared: SharedHops[Link] = hops or SharedHops()
    leases: list[Lease[Link]] = []
    refusal: UnreachableError | None = None
    try:
        for index, (hop, judge, keys) in enumerate(prepared, start=1):
            gateway = leases[-1].link if leases else None
            if gateway and hop.reach in {"nested", "slurm"}:
                break
            leases.append(shared.lease(route[:index], partial(open_hop, hop, judge, keys, gateway)))
    except (ForwardingRefusedError, NeedsJobError) as error:
        if not leases or route[len(leases)].reach == "jump":
            give_back(leases)
            raise
        refusal = error
    except BaseException:
        give_back(leases)
        raise
    near = SshTransport(leases, heartbeat_interval_s, heartbeat_deadline_s)
    rest = [(hop, judge) for hop, judge, _ in prepared[len(leases) :]]
    return go_on(near, leases[-1].link.hop, rest, refusal, tell) if rest else near


class SshTransport:
    """The Transport protocol over SSH sessions of our own; made by `connect`."""

    way: Literal["jump"] = "jump"
    explanation = ""

    def __init__(self, leases: Sequence[Lease[Link]], interval_s: float, deadline_s: float) -> None:
        self._leases = tuple(leases)
        self._links = tuple(lease.link for lease in leases)
        self._deadline_s = deadline_s
        self._silent: Hop | None = None
        self._closed = False
        transports = [link.transport for link in self._links]
        self._heartbeat = heartbeat.Heartbeat(
            transports, self._declare_dead, interval_s=interval_s, deadline_s=deadline_s
        )
        self._heartbeat.start()

    @property
    def alive(self) -> bool:
        """Whether every hop is open and answers its heartbeat."""
        return not self._closed and self._silent is None and all(link.transport.is_active() for link in self._links)

    def open_shell(self, command: str) -> SshChannel:
        """Start `command` by the account's login shell: one round trip for the channel, none for the command."""
        return self.open_channel(lambda transport, channel: transport.start_command(channel, command))

    def open_channel(
        self, begin: Callable[[HopTransport, paramiko.Channel], None], window: int = _WINDOW_BYTES
    ) -> SshChannel:
        """Open a session on the host and have `begin` say what runs in it.

        Args:
            begin: Given the hop and the open channel.
            window: Bytes that may be on their way to us.

        Raises:
            UnreachableError: The host opens no session or does not run that, or the connection was lost.
        """
        if not self.alive:
            raise self._lost()
        hop, transport = self._links[-1].hop, self._links[-1].transport
        try:
            channel = transport.open_session(window, _PACKET_BYTES, timeout=hop.connect_timeout_s)
            begin(transport, channel)
        except paramiko.ChannelException as error:
            raise shell_refused(hop, transport.refusal or error.text) from error
        except CONNECTION_ERRORS as error:
            if transport.is_active():
                raise shell_refused(hop, str(error)) from error
            raise self._lost() from error
        return SshChannel(channel, transport, hop, self._lost)

    def open_stream(self, path: str) -> SshStream:
        """Connect to the UNIX socket at `path` on the host, by its SSH server.

        Raises:
            StreamRefusedError: Nobody listens there, or the server does not forward to sockets; it does not say which.
            UnreachableError: The connection was lost.
        """
        if not self.alive:
            raise self._lost()
        hop, transport = self._links[-1].hop, self._links[-1].transport
        try:
            return SshStream(transport.open_stream(path, STREAM_WINDOW_BYTES, hop.connect_timeout_s))
        except paramiko.ChannelException as error:
            raise StreamRefusedError(f"{hop.name} opens no way to {path}", detail=transport.refusal) from error
        except CONNECTION_ERRORS as error:
            raise self._lost() from error

    def sftp_greets(self, limit_s: float) -> bool | None:
        """Whether the last hop's SFTP server answers a greeting; None where the host offers no SFTP."""
        try:
            return sftp_greets(self._links[-1].transport, limit_s)
        except CONNECTION_ERRORS as error:
            raise self._lost() from error

    def close(self) -> None:
        """Close all hops that nobody else uses, the last one first; idempotent, never raises, at most two seconds."""
        if self._closed:
            return
        self._closed = True
        self._heartbeat.stop()
        give_back(self._leases)

    def _declare_dead(self, index: int) -> None:
        """The heartbeat's verdict: cut the way to the silent hop, which wakes everybody who waits on it or behind it.

        The hops before it are left alone: they live, and others may be at work there.
        """
        self._silent = self._links[index].hop
        cut(self._links[index])

    def _lost(self) -> UnreachableError:
        """Name the hop that failed first: a dead jump takes those behind it along."""
        if self._silent is not None:
            return connection_lost(self._silent, silent_s=self._deadline_s)
        dead = [link.hop for link in self._links if not link.transport.is_active()]
        return connection_lost(dead[0] if dead else self._links[-1].hop)
