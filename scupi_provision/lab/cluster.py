"""The two SSH servers. admin1 listens on loopback; gpu2 has no port at all and is reached only through admin1."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import asyncssh

from scupi_provision.lab.layout import ACCOUNT, ADMIN, GPU, LabLayout
from scupi_provision.lab.session import Node, Process, run_session

logger = logging.getLogger("scupi_provision.lab")

_SSH_PORT = 22
_WINDOW_BYTES = 8 << 20
_LOGIN_TIMEOUT_S = 30
_CHUNK = 1 << 16


class Activity:
    """Whether somebody uses the lab, and since when nobody does."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._open = 0
        self._since = clock()

    def opened(self) -> None:
        """A connection was made."""
        self._open += 1

    def closed(self) -> None:
        """A connection ended."""
        self._open -= 1
        self._since = self._clock()

    @property
    def idle_s(self) -> float:
        """Seconds since the last connection ended; 0.0 while one is open."""
        return 0.0 if self._open else self._clock() - self._since


class Cluster:
    """admin1 and gpu2, and what runs on them."""

    def __init__(self, layout: LabLayout) -> None:
        self._layout = layout
        self._client_key = asyncssh.read_public_key(layout.client_key.with_suffix(".pub"))
        self._listener: asyncssh.SSHAcceptor | None = None
        self._connections: set[asyncssh.SSHServerConnection] = set()
        self.activity = Activity()
        self.running: set[int] = set()
        """Process ids (also group ids) of commands that somebody waits for."""
        self.started: set[int] = set()
        """Process group ids of all commands ever started."""

    async def start(self, port: int) -> int:
        """Listen on `port` of loopback, or on any free one when it is taken or 0. Returns the port."""
        options = self._options(ADMIN)
        try:
            self._listener = await asyncssh.listen("127.0.0.1", port, **options)
        except OSError:
            self._listener = await asyncssh.listen("127.0.0.1", 0, **options)
        return self._listener.get_port()

    async def close(self) -> None:
        """Stop listening and cut every connection."""
        if self._listener:
            self._listener.close()
        for connection in list(self._connections):
            connection.abort()

    def accepts(self, user: str, key: asyncssh.SSHKey) -> bool:
        """Whether `key` may log in as `user`."""
        return user == ACCOUNT and key.public_data == self._client_key.public_data

    def opened(self, connection: asyncssh.SSHServerConnection) -> None:
        """Note a connection that was made."""
        self._connections.add(connection)
        self.activity.opened()

    def closed(self, connection: asyncssh.SSHServerConnection) -> None:
        """Note a connection that ended."""
        self._connections.discard(connection)
        self.activity.closed()

    async def bridge_to_gpu(self, reader: asyncssh.SSHReader[bytes], writer: asyncssh.SSHWriter[bytes]) -> None:
        """Join a forwarded channel of admin1 to a new connection of gpu2's server."""
        near, far = socket.socketpair()
        serving = asyncio.create_task(self._serve_gpu(far))
        gpu_reader, gpu_writer = await asyncio.open_unix_connection(sock=near)
        await asyncio.gather(_copy(reader, gpu_writer), _copy(gpu_reader, writer))
        await serving

    async def _serve_gpu(self, connected: socket.socket) -> None:
        try:
            await asyncssh.run_server(connected, **self._options(GPU))
        except (asyncssh.Error, OSError, asyncio.TimeoutError) as error:
            logger.info("%s: login failed: %s", GPU, error)

    def _options(self, name: str) -> dict[str, Any]:
        node = Node(name, self._layout.search_path(name), self._layout.home)

        async def handle(process: Process) -> None:
            await self._run(node, process)

        return {
            "server_factory": lambda: _NodeServer(self, name),
            "process_factory": handle,
            "server_host_keys": [str(self._layout.host_key(name))],
            "encoding": None,
            "line_editor": False,
            "password_auth": False,
            "kbdint_auth": False,
            "host_based_auth": False,
            "gss_host": None,
            "agent_forwarding": False,
            "x11_forwarding": False,
            "compression_algs": None,
            "sftp_factory": partial(asyncssh.SFTPServer, chroot=os.fsencode(self._layout.home)),
            "allow_scp": False,
            "window": _WINDOW_BYTES,
            "login_timeout": _LOGIN_TIMEOUT_S,
            "server_version": f"provision_lab_{name}",
        }

    async def _run(self, node: Node, process: Process) -> None:
        pids: list[int] = []

        def note_start(pid: int) -> None:
            pids.append(pid)
            self.running.add(pid)
            self.started.add(pid)
            logger.info("%s: %d: %.200s", node.name, pid, process.command or "(login shell)")

        try:
            await run_session(node, process, note_start)
        except OSError as error:
            logger.warning("%s: cannot run a command: %s", node.name, error)
            process.exit(255)
        finally:
            self.running.difference_update(pids)


class _NodeServer(asyncssh.SSHServer):
    """What one node allows: the account's key; and on admin1, forwarding to gpu2's SSH port."""

    def __init__(self, cluster: Cluster, name: str) -> None:
        self._cluster = cluster
        self._name = name
        self._connection: asyncssh.SSHServerConnection | None = None

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._connection = conn
        self._cluster.opened(conn)

    def connection_lost(self, exc: Exception | None) -> None:
        if exc:
            logger.info("%s: connection lost: %s", self._name, exc)
        if self._connection:
            self._cluster.closed(self._connection)

    def begin_auth(self, username: str) -> bool:  # noqa: ARG002 - every user must prove a key
        return True

    def public_key_auth_supported(self) -> bool:
        return True

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        return self._cluster.accepts(username, key)

    def unix_connection_requested(self, dest_path: str) -> bool:  # noqa: ARG002 - any that the account may open
        """Forward to sockets, as OpenSSH does unless it is told not to (AllowStreamLocalForwarding)."""
        return True

    def connection_requested(
        self,
        dest_host: str,
        dest_port: int,
        orig_host: str,  # noqa: ARG002 - the client's claim about itself decides nothing
        orig_port: int,  # noqa: ARG002
    ) -> Any:
        if self._name == ADMIN and (dest_host, dest_port) == (GPU, _SSH_PORT):
            return self._cluster.bridge_to_gpu
        raise asyncssh.ChannelOpenError(
            asyncssh.OPEN_ADMINISTRATIVELY_PROHIBITED, f"{self._name} forwards only to {GPU} port {_SSH_PORT}"
        )


async def _copy(
    source: asyncssh.SSHReader[bytes] | asyncio.StreamReader,
    sink: asyncssh.SSHWriter[bytes] | asyncio.StreamWriter,
) -> None:
    """Copy until the source ends, then end the sink: either side hanging up hangs up the other."""
    with contextlib.suppress(asyncssh.Error, OSError):
        while data := await source.read(_CHUNK):
            sink.write(data)
            await sink.drain()
    sink.close()
