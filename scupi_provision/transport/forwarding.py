"""A port of this computer behind which something on a host answers: each connection becomes a stream of its own."""

from __future__ import annotations

import socket
import sys
import threading
from collections.abc import Callable
from contextlib import suppress

from scupi_provision.errors import InputError, UnreachableError
from scupi_provision.transport.streams import Stream

ADDRESS = "127.0.0.1"
"""Nobody but this computer may connect."""

_PIECE_BYTES = 64 * 1024
_BACKLOG = 64
_NEXT_PORTS = 50
_REST_S = 0.1  # after a connection that could not be accepted: there may be too many open files for a while
_WAKE_S = 1.0

Dial = Callable[[], Stream]
"""Opens one stream, or raises UnreachableError. Called from several threads."""

Apology = Callable[[UnreachableError], bytes]
"""What a client is sent when there is no stream for it."""


class LocalPort:
    """Listens on this computer until closed. One thread listens; each connection has two, one for each direction.

    A direction that ends is ended on the other side (half-close); when both have ended, or one was cut, the
    connection is closed. Whoever is slow holds back the other side: nothing is kept here beyond one piece.
    """

    def __init__(self, dial: Dial, apology: Apology, *, port: int) -> None:
        """Listen on `port`, or when it is taken on the next free one; 0 takes any.

        Raises:
            InputError: None of these ports is free.
        """
        self._dial = dial
        self._apology = apology
        self._listener = _listen(port)
        self.port: int = self._listener.getsockname()[1]
        self._closed = threading.Event()
        self._open: set[_Joint] = set()
        self._guard = threading.Lock()
        self._thread = threading.Thread(target=self._serve, name="provision-port", daemon=True)
        self._thread.start()

    @property
    def connections(self) -> int:
        """How many are open now."""
        with self._guard:
            return len(self._open)

    def close(self) -> None:
        """Stop listening and cut every connection; idempotent, never raises."""
        if not self._closed.is_set():
            self._closed.set()
            with suppress(OSError):  # closing a socket does not wake whoever waits for it everywhere; a client does
                socket.create_connection((ADDRESS, self.port), timeout=_WAKE_S).close()
            self._thread.join(_WAKE_S)
            self._listener.close()
        with self._guard:
            joints = list(self._open)
        for joint in joints:
            joint.cut()

    def _serve(self) -> None:
        while not self._closed.is_set():
            try:
                client, _ = self._listener.accept()
            except OSError:  # who came has left again
                self._closed.wait(_REST_S)
                continue
            threading.Thread(target=self._attend, args=(client,), name="provision-connection", daemon=True).start()

    def _attend(self, client: socket.socket) -> None:
        with client:
            if self._closed.is_set():
                return
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            try:
                stream = self._dial()
            except UnreachableError as error:
                _refuse(client, self._apology(error))
                return
            joint = _Joint(client, stream)
            with self._guard:
                self._open.add(joint)
            try:
                if not self._closed.is_set():
                    joint.carry()
            finally:
                joint.cut()
                with self._guard:
                    self._open.discard(joint)


class _Joint:
    """One client joined to one stream."""

    def __init__(self, client: socket.socket, stream: Stream) -> None:
        self._client = client
        self._stream = stream

    def carry(self) -> None:
        """Carry bytes both ways until both have ended or one was cut."""
        outwards = threading.Thread(target=self._send_on, name="provision-connection-out", daemon=True)
        outwards.start()
        self._bring_back()
        outwards.join()

    def cut(self) -> None:
        """End both sides at once, which wakes whoever waits for either."""
        self._stream.close()
        with suppress(OSError):  # it was closed already
            self._client.shutdown(socket.SHUT_RDWR)

    def _send_on(self) -> None:
        try:
            while data := self._client.recv(_PIECE_BYTES):
                self._stream.send(data)
            self._stream.finish()
        except (OSError, UnreachableError):
            self.cut()

    def _bring_back(self) -> None:
        try:
            while data := self._stream.receive():
                self._client.sendall(data)
            self._client.shutdown(socket.SHUT_WR)
        except (OSError, UnreachableError):
            self.cut()


def _listen(port: int) -> socket.socket:
    for candidate in range(port, min(port + _NEXT_PORTS, 65536) if port else 1):
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            if sys.platform != "win32":  # there it would mean to share a port that is taken
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((ADDRESS, candidate))
            listener.listen(_BACKLOG)
        except OSError:
            listener.close()
            continue
        return listener
    raise InputError(
        f"no port of this computer from {port} to {port + _NEXT_PORTS - 1} is free", hint="choose another with --port"
    )


def _refuse(client: socket.socket, apology: bytes) -> None:
    """Say why, and read what the client has sent: closing on unread bytes would reset it before it has read ours."""
    with suppress(OSError):
        client.settimeout(2.0)
        client.sendall(apology)
        client.shutdown(socket.SHUT_WR)
        while client.recv(_PIECE_BYTES):
            pass
