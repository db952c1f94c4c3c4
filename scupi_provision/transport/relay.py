"""Streams to a UNIX socket on a host whose SSH server forwards none: all of them over one channel, to a relay there.

The other end is `shell/relay.py`, which says what the frames mean.
"""

from __future__ import annotations

import struct
import threading
import time
from collections import deque
from collections.abc import Callable

from scupi_provision.errors import UnreachableError
from scupi_provision.transport.base import Transport
from scupi_provision.transport.streams import StreamRefusedError

CREDIT_BYTES = 256 * 1024
"""CREDIT of `shell/relay.py`."""

_HEADER = struct.Struct("!cII")
_NUMBER = struct.Struct("!I")
_PIECE_BYTES = 32 * 1024
_POLL_S = 0.5
_START_S = 60.0  # the first start of a Python from a cold shared home
_MOST_NOISE_BYTES = 64 * 1024


class Relay:
    """A relay that runs on a host. Any thread may open streams."""

    def __init__(self, transport: Transport, command: str, word: str) -> None:
        """Start it; what login files print ahead of `word` is set aside.

        Raises:
            UnreachableError: It does not start, or the connection was lost.
        """
        self._transport = transport
        self._channel = transport.open_shell(command)
        self._sending = threading.Lock()
        self._guard = threading.Lock()
        self._streams: dict[int, RelayStream] = {}
        self._last = 0
        self._over: UnreachableError | None = None
        self._begun = self._await(word.encode() + b"\n")
        self._listener = threading.Thread(target=self._listen, name="provision-relay", daemon=True)
        self._listener.start()

    @property
    def alive(self) -> bool:
        """Whether streams may be opened."""
        return self._over is None and self._transport.alive

    def open_stream(self) -> RelayStream:
        """Connect once more.

        Raises:
            StreamRefusedError: Nobody listens at the socket.
            UnreachableError: The relay or the connection is gone.
        """
        with self._guard:
            if self._over is not None:
                raise self._over
            self._last += 1
            stream = RelayStream(self._last, self._say, self._forget)
            self._streams[stream.number] = stream
        self._say(b"O", stream.number)
        stream.await_opening()
        return stream

    def close(self) -> None:
        """End the relay and all its streams; idempotent, never raises."""
        self._end(UnreachableError("the relay was closed"))
        self._channel.close()

    def _await(self, word: bytes) -> bytearray:
        """Skip to the relay's first word; what has come after it already."""
        deadline = time.monotonic() + _START_S
        received = bytearray()
        while (place := received.find(word)) < 0:
            data = self._channel.receive(_POLL_S)
            received += data or b""
            if data == b"" or time.monotonic() > deadline or len(received) > _MOST_NOISE_BYTES:
                said = self._channel.stderr_tail().strip()
                self._channel.close()
                raise UnreachableError("the relay on the host did not start", detail=said[-500:])
        return received[place + len(word) :]

    # --- the line -------------------------------------------------------------------------------------------------

    def _say(self, kind: bytes, number: int, payload: bytes = b"") -> None:
        with self._sending:
            self._channel.send(_HEADER.pack(kind, number, len(payload)) + payload)

    def _listen(self) -> None:
        try:
            received = self._begun
            while True:
                received = self._take_frames(received)
                data = self._channel.receive(_POLL_S)
                if data == b"" or not self._transport.alive:
                    break
                received += data or b""
            self._end(UnreachableError("the relay on the host has ended"))
        except UnreachableError as error:
            self._end(error)

    def _take_frames(self, received: bytearray) -> bytearray:
        """Obey every whole frame; what is left."""
        at = 0
        while len(received) - at >= _HEADER.size:
            kind, number, length = _HEADER.unpack_from(received, at)
            end = at + _HEADER.size + length
            if len(received) < end:
                break
            self._obey(kind, number, bytes(received[at + _HEADER.size : end]))
            at = end
        return received[at:]

    def _obey(self, kind: bytes, number: int, payload: bytes) -> None:
        with self._guard:
            stream = self._streams.get(number)
        if stream is not None:
            stream.told(kind, payload)

    def _forget(self, number: int) -> None:
        with self._guard:
            self._streams.pop(number, None)

    def _end(self, error: UnreachableError) -> None:
        with self._guard:
            self._over = self._over or error
            streams, self._streams = list(self._streams.values()), {}
        for stream in streams:
            stream.cut(error)


class RelayStream:
    """The Stream protocol over a relay."""

    def __init__(self, number: int, say: Callable[..., None], forget: Callable[[int], None]) -> None:
        """A stream that is yet to be opened; `say` sends a frame, `forget` drops the stream's number."""
        self.number = number
        self._say = say
        self._forget = forget
        self._changed = threading.Condition()
        self._pieces: deque[bytes] = deque()
        self._credit = CREDIT_BYTES
        self._opened = self._ended = self._closed = False
        self._error: UnreachableError | None = None

    def await_opening(self) -> None:
        """Wait until the relay says that it is open, or raise what it says instead."""
        with self._changed:
            self._changed.wait_for(lambda: self._opened or self._error)
            if self._error is not None:
                raise self._error

    def send(self, data: bytes) -> None:
        """Write all of `data`, in pieces for which the other side has room."""
        view = memoryview(data)
        while view:
            with self._changed:
                self._changed.wait_for(lambda: self._credit > 0 or self._error or self._closed)
                self._check()
                piece = view[: min(_PIECE_BYTES, self._credit)]
                self._credit -= len(piece)
            self._say(b"D", self.number, bytes(piece))
            view = view[len(piece) :]

    def receive(self) -> bytes:
        """At least one byte, b"" at the end; the other side may send as much again."""
        with self._changed:
            self._changed.wait_for(lambda: self._pieces or self._ended or self._error or self._closed)
            if not self._pieces:
                if self._ended:
                    return b""
                self._check()
            data = self._pieces.popleft()
        self._say(b"W", self.number, _NUMBER.pack(len(data)))
        return data

    def finish(self) -> None:
        """Tell that no more will be sent."""
        self._say_quietly(b"F")

    def close(self) -> None:
        """Forget the stream on both sides."""
        with self._changed:
            was_over = self._closed or self._error is not None
            self._closed = True
            self._changed.notify_all()
        self._forget(self.number)
        if not was_over:
            self._say_quietly(b"C")

    def told(self, kind: bytes, payload: bytes) -> None:
        """Take a frame of this stream."""
        with self._changed:
            if kind == b"D":
                self._pieces.append(payload)
            elif kind == b"W":
                self._credit += _NUMBER.unpack(payload)[0]
            elif kind == b"A":
                self._opened = True
            elif kind == b"F":
                self._ended = True
            elif kind == b"R":
                why = payload.decode("utf-8", "replace")
                self._error = StreamRefusedError("nobody listens at the socket", detail=why)
            else:
                self._error = UnreachableError("a forwarded connection was cut")
            self._changed.notify_all()

    def cut(self, error: UnreachableError) -> None:
        """The connection to the host is gone."""
        with self._changed:
            self._error = self._error or error
            self._changed.notify_all()

    def _check(self) -> None:
        if self._error is not None:
            raise self._error
        if self._closed:
            raise UnreachableError("the stream was closed here")

    def _say_quietly(self, kind: bytes) -> None:
        try:
            self._say(kind, self.number)
        except UnreachableError:
            return  # whoever waits for the stream learns of it there
