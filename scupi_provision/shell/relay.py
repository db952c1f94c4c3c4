"""Runs on the host, where its sshd forwards no sockets: connects many streams on stdin and stdout to a UNIX socket.

Arguments: the socket, and a word that is said once on stdout before the first frame. Standard library only, for the
Python 3.8 and later of some environment there; the other end is `transport/relay.py`. It ends with its standard input.

A frame is a header (kind, stream, length: one byte and two 32-bit numbers, big-endian) and so many bytes:

    O  open the stream                A  it is open                R  it was refused; why
    D  bytes of the stream            F  no more bytes will come   C  forget the stream
    W  so many bytes more may be sent (a 32-bit number); each side may have CREDIT bytes on the way
"""

from __future__ import annotations

import os
import selectors
import socket
import struct
import sys

HEADER = struct.Struct("!cII")
NUMBER = struct.Struct("!I")
CREDIT = 256 * 1024
PIECE = 32 * 1024


class Stream:
    """One connection to the socket."""

    def __init__(self, number: int, sock: socket.socket) -> None:
        """Begin with nothing to write and full credit."""
        self.number = number
        self.sock = sock
        self.unwritten = bytearray()
        self.finished = False  # nothing more will be written after `unwritten`
        self.reads = True
        self.credit = CREDIT


class Relay:
    """Everything that is open. One thread; nothing blocks but waiting for all of it."""

    def __init__(self, path: str) -> None:
        """Relay to the socket at `path`."""
        self.path = path
        self.streams: dict[int, Stream] = {}
        self.selector = selectors.DefaultSelector()
        self.received = bytearray()
        self.unsent = bytearray()

    def run(self, word: str) -> None:
        """Say `word`, then relay until standard input ends."""
        for descriptor in (0, 1):
            os.set_blocking(descriptor, False)
        self.unsent += word.encode() + b"\n"
        self.selector.register(0, selectors.EVENT_READ, None)
        while True:
            self.watch()
            for key, events in self.selector.select():
                if key.fd == 0 and not self.hear():
                    return
                if key.fd == 1:
                    self.speak()
                if key.data is not None and key.data.number in self.streams:
                    self.serve(key.data, events)

    def watch(self) -> None:
        """Wait only for what there is room or need for: that is what holds a quick side back for a slow one."""
        self.attend(1, selectors.EVENT_WRITE if self.unsent else 0, None)
        for stream in self.streams.values():
            wants = selectors.EVENT_READ if stream.reads and stream.credit > 0 else 0
            wants |= selectors.EVENT_WRITE if stream.unwritten else 0
            self.attend(stream.sock, wants, stream)

    def attend(self, what: int | socket.socket, events: int, data: Stream | None) -> None:
        """Have the selector watch `what` for exactly these events."""
        known = self.selector.get_map().get(what if isinstance(what, int) else what.fileno())
        if known is None and events:
            self.selector.register(what, events, data)
        elif known is not None and not events:
            self.selector.unregister(what)
        elif known is not None and known.events != events:
            self.selector.modify(what, events, data)

    # --- the line ---

    def say(self, kind: bytes, number: int, payload: bytes = b"") -> None:
        """Have a frame sent."""
        self.unsent += HEADER.pack(kind, number, len(payload)) + payload

    def speak(self) -> None:
        """Send what the line takes."""
        try:
            del self.unsent[: os.write(1, bytes(self.unsent[:PIECE]))]
        except BlockingIOError:
            return

    def hear(self) -> bool:
        """Take what has come; False at the end."""
        try:
            data = os.read(0, PIECE)
        except BlockingIOError:
            return True
        self.received += data
        while len(self.received) >= HEADER.size:
            kind, number, length = HEADER.unpack_from(self.received)
            if len(self.received) < HEADER.size + length:
                break
            payload = bytes(self.received[HEADER.size : HEADER.size + length])
            del self.received[: HEADER.size + length]
            self.obey(kind, number, payload)
        return bool(data)

    def obey(self, kind: bytes, number: int, payload: bytes) -> None:
        """Do what a frame says; frames of streams that are gone mean nothing."""
        stream = self.streams.get(number)
        if kind == b"O":
            self.open(number)
        elif stream is None:
            return
        elif kind == b"D":
            stream.unwritten += payload
        elif kind == b"W":
            stream.credit += NUMBER.unpack(payload)[0]
        elif kind == b"C":
            self.forget(stream)
        elif kind == b"F":
            stream.finished = True
            self.finish(stream)

    # --- the socket ---

    def open(self, number: int) -> None:
        """Connect; a UNIX socket answers at once."""
        sock = socket.socket(socket.AF_UNIX)
        try:
            sock.connect(self.path)
        except OSError as error:
            sock.close()
            self.say(b"R", number, str(error.strerror).encode())
            return
        sock.settimeout(0)
        self.streams[number] = Stream(number, sock)
        self.say(b"A", number)

    def serve(self, stream: Stream, events: int) -> None:
        """Carry bytes of one stream; one that broke is forgotten on both sides."""
        try:
            if events & selectors.EVENT_WRITE:
                self.write(stream)
            if events & selectors.EVENT_READ:
                self.read(stream)
        except BlockingIOError:
            return
        except OSError:
            self.say(b"C", stream.number)
            self.forget(stream)

    def write(self, stream: Stream) -> None:
        """Hand the socket what it takes, and let the other side send as much again."""
        count = stream.sock.send(stream.unwritten[:PIECE])
        del stream.unwritten[:count]
        self.say(b"W", stream.number, NUMBER.pack(count))
        self.finish(stream)

    def read(self, stream: Stream) -> None:
        """Send on what the socket gives."""
        data = stream.sock.recv(min(PIECE, stream.credit))
        if data:
            stream.credit -= len(data)
            self.say(b"D", stream.number, data)
        else:
            stream.reads = False
            self.say(b"F", stream.number)

    def finish(self, stream: Stream) -> None:
        """Pass the end of a stream on, once everything before it is written."""
        if stream.finished and not stream.unwritten:
            try:
                stream.sock.shutdown(socket.SHUT_WR)
            except OSError:
                return  # the server was quicker

    def forget(self, stream: Stream) -> None:
        """Close it."""
        self.attend(stream.sock, 0, None)
        stream.sock.close()
        del self.streams[stream.number]


if __name__ == "__main__":
    Relay(sys.argv[1]).run(sys.argv[2])
