"""A remote shell over one SSH channel."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import paramiko

from scupi_provision.errors import UnreachableError
from scupi_provision.transport.base import Hop
from scupi_provision.transport.failures import CONNECTION_ERRORS, shell_gone, shell_refused
from scupi_provision.transport.hop_transport import HopTransport
from scupi_provision.transport.tail import Tail

_PIECE_BYTES = 64 * 1024  # per send; paramiko cuts it to the server's packet size
_RECEIVE_BYTES = 1024 * 1024
_SLICE_S = 0.5  # how long stderr may pile up unread while stdout is silent
_LEAST_WAIT_S = 0.001  # a timeout of 0 would make a sender in another thread spin: they share the setting
_STATUS_S = 2.0  # sshd tells the status when the shell is reaped, which a busy node does a moment after its last output
_THREAD_END_S = 0.5  # paramiko marks its channels closed a moment before it marks the transport dead
_CLOSE_S = 1.0


class SshChannel:
    """The Channel protocol over paramiko. One thread may send while another receives."""

    def __init__(
        self, channel: paramiko.Channel, transport: HopTransport, hop: Hop, lost: Callable[[], UnreachableError]
    ) -> None:
        """Wrap an open channel on which a command has been requested; `lost` says how the connection died."""
        self._channel = channel
        self._transport = transport
        self._hop = hop
        self._lost = lost
        self._stderr = Tail()
        self._closed = False

    def send(self, data: bytes) -> None:
        """Write all of `data`, or raise UnreachableError."""
        view = memoryview(data)
        sent = 0
        while sent < len(view):
            sent += self._send_some(bytes(view[sent : sent + _PIECE_BYTES]))
        if not self._transport.is_active():  # paramiko drops messages to a dead peer without a word
            raise self._lost()

    def _send_some(self, piece: bytes) -> int:
        try:
            count = self._channel.send(piece)
        except TimeoutError:  # the server's window is full; the receiving thread's timeout applied to us
            return 0
        except CONNECTION_ERRORS as error:
            raise self._unsent() from error
        if count == 0:
            raise self._unsent()
        return count

    def _unsent(self) -> UnreachableError:
        if self._connection_ended():
            return self._lost()
        self._drain_stderr()
        return shell_gone(self._hop, self.stderr_tail())

    def receive(self, timeout_s: float) -> bytes | None:
        """At least one byte, b"" at the end of the stream, None after `timeout_s`; UnreachableError when cut off."""
        deadline = time.monotonic() + timeout_s
        while True:
            self._drain_stderr()
            left = deadline - time.monotonic()
            self._channel.settimeout(max(min(left, _SLICE_S), _LEAST_WAIT_S))
            try:
                data = self._channel.recv(_RECEIVE_BYTES)
            except TimeoutError:
                if time.monotonic() >= deadline:
                    return None
                continue
            except CONNECTION_ERRORS as error:
                raise self._lost() from error
            return data or self._end()

    def _end(self) -> bytes:
        """b"" when the remote side ended the stream; paramiko shows a lost connection in the same way."""
        self._drain_stderr()
        if self._closed:
            return b""
        ended_there = self._channel.eof_received or self._channel.exit_status >= 0
        if not ended_there and self._connection_ended():
            raise self._lost()
        if not self._channel.event_ready:  # neither accepted: paramiko closes the channel when exec is refused
            raise shell_refused(self._hop, self.stderr_tail() or "the server refused the exec request")
        return b""

    def _connection_ended(self) -> bool:
        if self._transport.is_active():
            self._transport.join(_THREAD_END_S)
        return not self._transport.is_active()

    def _drain_stderr(self) -> None:
        try:
            while self._channel.recv_stderr_ready():
                self._stderr.add(self._channel.recv_stderr(_RECEIVE_BYTES))
        except CONNECTION_ERRORS:
            # Only the acknowledgement failed; what was read is kept, and stdout tells of the lost connection.
            return

    def stderr_tail(self) -> str:
        """The last 8 KiB that the remote side wrote to stderr (untrusted text)."""
        self._drain_stderr()
        return self._stderr.text()

    def kill(self) -> None:
        """Have the server kill what the command has started; never raises. OpenSSH does so from 7.9 on."""
        if self._channel.closed:
            return  # nothing runs there any more, and sshd ends a connection that speaks of a closed channel
        try:
            self._transport.send_signal(self._channel, "KILL")
        except CONNECTION_ERRORS:
            return  # the connection is gone; nothing can be asked of the server any more

    @property
    def exit_status(self) -> int | None:
        """The exit status once the server has told it; a moment is waited for it when the stream has ended."""
        if self._channel.eof_received:
            self._channel.status_event.wait(_STATUS_S)
        status: int = self._channel.exit_status
        return None if status < 0 else status

    def close(self) -> None:
        """End the remote shell's stdin and the channel; idempotent, never raises, at most a second."""
        if self._closed:
            return
        self._closed = True
        closer = threading.Thread(target=self._close_quietly, name="provision-close-shell", daemon=True)
        closer.start()
        closer.join(_CLOSE_S)

    def _close_quietly(self) -> None:
        try:
            self._channel.close()
        except CONNECTION_ERRORS:
            return  # the connection is gone, and the remote shell's stdin with it
