"""A TCP proxy that makes a link slow and writes down when which bytes passed, as its client sees it."""

from __future__ import annotations

import queue
import socket
import threading
import time
from dataclasses import dataclass, field

_CHUNK = 1 << 16
_END = b""


@dataclass
class Traffic:
    """The bytes of one connection, each chunk with its moment on the monotonic clock (which all processes share).

    Attributes:
        sent: What the client sent, when it reached the proxy (at once: both are on this machine).
        received: What the client was given, when it was.
    """

    sent: list[tuple[float, int]] = field(default_factory=list)
    received: list[tuple[float, int]] = field(default_factory=list)

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
        self.port: int = self._listener.getsockname()[1]
        self.connections: list[Traffic] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> SlowLink:
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return  # closed
            server = socket.create_connection(self._target)
            traffic = Traffic()
            self.connections.append(traffic)
            for sock in (client, server):
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._carry(client, server, sent=traffic)
            self._carry(server, client, received=traffic)

    def _carry(
        self,
        source: socket.socket,
        sink: socket.socket,
        *,
        sent: Traffic | None = None,
        received: Traffic | None = None,
    ) -> None:
        """One direction: chunks are taken off `source` at once and given to `sink` when their time has come."""
        due: queue.SimpleQueue[tuple[float, bytes]] = queue.SimpleQueue()

        def take() -> None:
            while True:
                data = _receive(source)
                now = time.monotonic()
                if sent is not None and data:
                    sent.sent.append((now, len(data)))
                due.put((now + self._delay_s, data))
                if not data:
                    return

        def give() -> None:
            while True:
                moment, data = due.get()
                time.sleep(max(0.0, moment - time.monotonic()))
                if received is not None and data:
                    received.received.append((time.monotonic(), len(data)))
                if not data or not _send(sink, data):
                    _shut(sink)
                    return

        threading.Thread(target=take, daemon=True).start()
        threading.Thread(target=give, daemon=True).start()


def _receive(source: socket.socket) -> bytes:
    try:
        return source.recv(_CHUNK)
    except OSError:
        return _END  # reset: nothing more comes


def _send(sink: socket.socket, data: bytes) -> bool:
    try:
        sink.sendall(data)
    except OSError:
        return False
    return True


def _shut(sink: socket.socket) -> None:
    try:
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        return  # it is gone already
