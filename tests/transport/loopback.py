"""Real servers on loopback for the transport tests: AsyncSSH in a thread, OpenSSH's sshd, and a proxy that fails."""

import asyncio
import os
import select
import shutil
import signal
import socket
import subprocess
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import asyncssh

SSHD = Path("/usr/sbin/sshd")


@dataclass
class Observed:
    """What an AsyncSSH server has seen."""

    connections: int = 0
    auth_attempts: list[str] = field(default_factory=list)
    open_connections: list[asyncssh.SSHServerConnection] = field(default_factory=list)


class SshServer:
    """An AsyncSSH server in a thread of its own, running commands with /bin/sh."""

    def __init__(self, host_keys, accepted_keys=(), *, forwarding=True, password=None, commands=True, **options):
        self.observed = Observed()
        self.host_keys = host_keys
        self._settings = (accepted_keys, forwarding, password)
        self._options = options
        self._commands = commands
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self):
        self._thread.start()
        self._server = asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(10)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    def __exit__(self, *_exc):
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _end(self):
        self._server.close()
        for connection in self.observed.open_connections:
            connection.abort()
        rest = asyncio.all_tasks() - {asyncio.current_task()}
        _, stuck = await asyncio.wait(rest, timeout=0.2) if rest else (set(), set())
        for task in stuck:
            task.cancel()
        await asyncio.sleep(0.01)

    async def _listen(self):
        return await asyncssh.listen(
            "127.0.0.1",
            0,
            server_factory=lambda: _Account(self.observed, *self._settings),
            server_host_keys=self.host_keys,
            process_factory=self._run if self._commands else None,
            encoding=None,
            **self._options,
        )

    @staticmethod
    async def _run(process):
        child = await asyncio.create_subprocess_exec(
            "/bin/sh",
            "-c",
            process.command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        feeding = asyncio.ensure_future(_pump(process.stdin, child.stdin))
        try:
            await asyncio.gather(_pump(child.stdout, process.stdout), _pump(child.stderr, process.stderr))
            process.exit(await child.wait())
        finally:
            feeding.cancel()
            if child.returncode is None:
                with suppress(ProcessLookupError):
                    child.kill()
                await child.wait()


async def _pump(source, sink):
    with suppress(BrokenPipeError, ConnectionError):
        while data := await source.read(65536):
            sink.write(data)
            await sink.drain()
        if isinstance(sink, asyncio.StreamWriter):
            sink.close()


class _Account(asyncssh.SSHServer):
    def __init__(self, observed, accepted_keys, forwarding, password):
        self._observed = observed
        self._accepted = [key.convert_to_public() for key in accepted_keys]
        self._forwarding = forwarding
        self._password = password

    def connection_made(self, connection):
        self._observed.connections += 1
        self._observed.open_connections.append(connection)

    def begin_auth(self, username):
        self._observed.auth_attempts.append(username)
        return True

    def public_key_auth_supported(self):
        return True

    def validate_public_key(self, _username, key):
        return key in self._accepted

    def password_auth_supported(self):
        return self._password is not None

    def validate_password(self, _username, password):
        return password == self._password

    def connection_requested(self, _host, _port, _orig_host, _orig_port):
        if not self._forwarding:
            raise asyncssh.ChannelOpenError(asyncssh.OPEN_ADMINISTRATIVELY_PROHIBITED, "forwarding is off here")
        return True


@contextmanager
def openssh_server(folder, host_key, authorized_key, **options):
    """OpenSSH's sshd on a free port, as the user who runs the tests. `host_key` is a private key file."""
    folder.mkdir()
    (folder / "authorized_keys").write_bytes(authorized_key.export_public_key())
    shutil.copy(host_key, folder / "host_key")
    (folder / "host_key").chmod(0o600)
    port = free_port()
    settings = {
        "Port": port,
        "ListenAddress": "127.0.0.1",
        "HostKey": folder / "host_key",
        "PidFile": folder / "pid",
        "AuthorizedKeysFile": folder / "authorized_keys",
        "StrictModes": "no",
        "UsePAM": "no",
        "PermitRootLogin": "prohibit-password",
        **options,
    }
    (folder / "config").write_text("".join(f"{name} {value}\n" for name, value in settings.items()))
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # sshd insists on its privilege separation directory
    command = [SSHD, "-D", "-E", folder / "log", "-f", folder / "config"]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)
    try:
        wait_for_port(port)
        yield port
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        process.wait(10)


class Proxy:
    """A TCP proxy that can stop forwarding without a word (`freeze`) or hang up (`cut`), and that counts flights."""

    def __init__(self, target_port):
        self._target = target_port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.flights = 0
        self._from_client = False
        self._frozen = self._stopping = False
        self._sockets = []
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_exc):
        self._stopping = True
        self._thread.join(5)
        self.cut()
        self._listener.close()

    def freeze(self):
        self._frozen = True

    def cut(self):
        for sock in self._sockets:
            sock.close()
        self._sockets = []

    def _serve(self):
        peers = {}
        while not self._stopping:
            watched = [self._listener, *(s for s in peers if s.fileno() >= 0)]
            for sock in select.select([] if self._frozen else watched, [], [], 0.02)[0]:
                if sock is self._listener:
                    client = sock.accept()[0]
                    server = socket.create_connection(("127.0.0.1", self._target))
                    peers |= {client: (server, True), server: (client, False)}
                    self._sockets += [client, server]
                elif sock.fileno() >= 0:
                    self._forward(sock, *peers[sock])

    def _forward(self, sock, peer, from_client):
        try:
            data = sock.recv(65536)
            peer.sendall(data)
        except OSError:
            data = b""
        if from_client and not self._from_client:
            self.flights += 1
        self._from_client = from_client
        if not data:
            sock.close()
            peer.close()


@contextmanager
def speaking_server(greeting):
    """A TCP server that says `greeting` to everybody and then waits."""
    clients = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve():
            with suppress(OSError):
                while True:
                    client = listener.accept()[0]
                    clients.append(client)
                    client.sendall(greeting)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join(5)
            for client in clients:
                client.close()


def free_port():
    """A port that was free a moment ago."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


def wait_for_port(port, seconds=10.0):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.02)
    raise TimeoutError(f"nothing listens on {port}")
