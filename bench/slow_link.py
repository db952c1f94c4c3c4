"""A TCP proxy that makes a link slow and writes down when which bytes passed, as its client sees it."""

from __future__ import annotations

import queue
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

_CHUNK = 1 << 16
_LOOK_UP_S = 0.1
_Log = list[tuple[float, int]]


@dataclass
class Traffic:
    """The bytes of one connection, each chunk with its moment on the monotonic clock (which all processes share).

    Attributes:
        sent: What the client sent, when it reached the proxy (at once: both are on this machine).
        received: What the client was given, when it was.
    """

    sent: _Log = field(default_factory=list)
    received: _Log = field(default_factory=list)

    @property
    def bytes_sent(self) -> int:
        """Client to server."""
        return sum(size for _, size in self.sent)

    @property
    def bytes_received(self) -> int:
        """Server to client."""
        return sum(size for _, size in self.received)


def flights(traffic: Traffic, round_trip_s: float) -> list[float]:
    """When the client began each burst of its bytes.

    What is sent sooner than one round trip after a flight has begun cannot be a reaction to its answer, and belongs
    to it. Everything later is a flight of its own, whether the client had to wait for it or not: the count errs on
    the high side.
    """
    starts: list[float] = []
    for moment, _ in traffic.sent:
        if not starts or moment - starts[-1] >= round_trip_s:
            starts.append(moment)
    return starts


class SlowLink:
    """Listens on a port of loopback and passes every connection on to `target`, `delay_s` later each way."""

    def __init__(self, target: tuple[str, int], delay_s: float) -> None:
        self._target = target
        self._delay_s = delay_s
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(_LOOK_UP_S)
        self._over = threading.Event()
        self._sockets: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self.port: int = self._listener.getsockname()[1]
        self.connections: list[Traffic] = []
        self._run(self._accept)

    def __enter__(self) -> SlowLink:
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for sock in self._sockets:
            _end(sock, socket.SHUT_RDWR)
        for thread in list(self._threads):
            thread.join()
        for sock in (self._listener, *self._sockets):
            sock.close()

    def _run(self, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._over.is_set():
            try:
                client, _ = self._listener.accept()
            except TimeoutError:
                continue
            server = socket.create_connection(self._target)
            traffic = Traffic()
            self.connections.append(traffic)
            for sock in (client, server):
                sock.settimeout(None)  # else it would have the listener's timeout
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._sockets.append(sock)
            self._carry(client, server, taken=traffic.sent)
            self._carry(server, client, given=traffic.received)

    def _carry(
        self, source: socket.socket, sink: socket.socket, *, taken: _Log | None = None, given: _Log | None = None
    ) -> None:
        """One direction: chunks are taken off `source` at once and given to `sink` when their time has come."""
        due: queue.SimpleQueue[tuple[float, bytes]] = queue.SimpleQueue()

        def take() -> None:
            data = b"more"
            while data:
                data = _receive(source)
                now = time.monotonic()
                if taken is not None and data:
                    taken.append((now, len(data)))
                due.put((now + self._delay_s, data))

        def give() -> None:
            data = b"more"
            while data:
                moment, data = due.get()
                time.sleep(max(0.0, moment - time.monotonic()))
                if given is not None and data:
                    given.append((time.monotonic(), len(data)))
                if not data or not _send(sink, data):
                    _end(sink, socket.SHUT_WR)

        self._run(take)
        self._run(give)


def _receive(source: socket.socket) -> bytes:
    try:
        return source.recv(_CHUNK)
    except OSError:
        return b""  # reset: nothing more comes


def _send(sink: socket.socket, data: bytes) -> bool:
    try:
        sink.sendall(data)
    except OSError:
        return False
    return True


def _end(sock: socket.socket, how: int) -> None:
    try:
        sock.shutdown(how)
    except OSError:
        return  # it has ended already
