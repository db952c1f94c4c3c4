"""Streams to a UNIX socket on a host: what they are, and how they are had where its SSH server forwards to sockets."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import paramiko

from scupi_provision.errors import UnreachableError
from scupi_provision.transport.failures import CONNECTION_ERRORS

STREAM_WINDOW_BYTES = 2 * 1024 * 1024
"""What a server may send on one stream before its client has taken any of it: a notebook's size."""

_RECEIVE_BYTES = 64 * 1024


class StreamRefusedError(UnreachableError):
    """The host opened no stream: nobody listens at that socket, or its SSH server does not forward to sockets."""


class Stream(Protocol):
    """Bytes both ways. One thread may send while another receives; `close` wakes both."""

    def send(self, data: bytes) -> None:
        """MUST write all of `data`, waiting while the other side takes none, or raise UnreachableError."""

    def receive(self) -> bytes:
        """MUST wait for at least one byte; b"" when the other side has ended it; UnreachableError when it was cut."""

    def finish(self) -> None:
        """MUST tell the other side that nothing more will be sent; what it sends is still received. Never raises."""

    def close(self) -> None:
        """MUST let go of it; idempotent, never raises."""


@runtime_checkable
class OpensStreams(Protocol):
    """A transport whose host may be asked for streams."""

    def open_stream(self, path: str) -> Stream:
        """MUST connect to the UNIX socket at `path` on the host, or raise UnreachableError.

        StreamRefusedError when the host is there and refuses.
        """


class SshStream:
    """The Stream protocol over a forwarded channel of paramiko."""

    def __init__(self, channel: paramiko.Channel) -> None:
        """Take over an open channel."""
        self._channel = channel
        channel.settimeout(None)

    def send(self, data: bytes) -> None:
        """Write all of `data`, or raise UnreachableError."""
        try:
            self._channel.sendall(data)
        except CONNECTION_ERRORS as error:
            raise UnreachableError("a forwarded connection was cut") from error

    def receive(self) -> bytes:
        """At least one byte, or b"" at the end; UnreachableError when the connection died."""
        try:
            data = self._channel.recv(_RECEIVE_BYTES)
        except CONNECTION_ERRORS as error:
            raise UnreachableError("a forwarded connection was cut") from error
        if not data and not self._channel.eof_received:
            raise UnreachableError("a forwarded connection was cut")
        return data

    def finish(self) -> None:
        """Send the end of the stream."""
        try:
            self._channel.shutdown_write()
        except CONNECTION_ERRORS:
            return  # the other direction tells of it

    def close(self) -> None:
        """Close the channel."""
        try:
            self._channel.close()
        except CONNECTION_ERRORS:
            return  # it went with its connection
