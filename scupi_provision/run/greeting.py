"""Opening a line to a host: from the account's login files, whatever they do, to our program. Or saying why not."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from typing import Literal

from scupi_provision.errors import LoginShellError, UnreachableError
from scupi_provision.run.login_shell import LoginFailure, Outcome, explained
from scupi_provision.shell import program
from scupi_provision.transport.base import Channel, Ending, Transport

PATIENCE_S = 9.0
"""How long the login files may take, unless the inventory's `provision_login_timeout` says otherwise."""
_HEARING_S = 30.0
"""From the bootstrap's hello until it has our program: some tens of kilobytes, on the slowest of lines."""
_POLL_S = 0.5
MOST_NOISE = 1024 * 1024
"""Bytes that login files may print before they are taken to print without end."""
_KEPT = 4096
"""Bytes of the beginning and of the end of what they print that are kept, each."""
_WORDS = ("hello", "heard", "eaten", "deaf")

Word = Literal["hello", "heard", "eaten", "deaf"]


@dataclass(frozen=True)
class Line:
    """An open line whose far side has our program.

    Attributes:
        channel: The line.
        noise: What the login files printed (untrusted).
        rest: What came after, the beginning of the program's replies.
        round_trips: Exchanges that it took, besides sending the program.
    """

    channel: Channel
    noise: bytes
    rest: bytes
    round_trips: int


def open_line(transport: Transport, frame: bytes, *, patience_s: float = PATIENCE_S, account: str = "") -> Line:
    """Open a line and send it the first program.

    Everything goes at once. Where a start-up file has read a part of it, once more: then the program is sent when the
    start-up files have ended.

    Args:
        transport: The way to the host.
        frame: The program as it travels.
        patience_s: How long the login files may take.
        account: Whose they are, for the advice.

    Raises:
        LoginShellError: They let no program begin; it says what is known of why.
        UnreachableError: The connection was lost.
    """
    until = time.monotonic() + patience_s
    for later in (False, True):
        opening = _Opening(transport, patience_s)
        try:
            rest = opening.greet(frame, until, later=later)
        except _Failed as failed:
            opening.abandon()
            if not later and failed.outcome == "eaten":
                continue
            raise explained(opening.failure(failed.outcome), account) from failed
        except BaseException:
            opening.abandon()
            raise
        return Line(opening.channel, opening.noise, rest, 3 if later else 1)
    raise LoginShellError("unreachable")  # pragma: no cover - the loop returns or raises


class _Failed(Exception):  # noqa: N818 - never leaves this file
    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome)
        self.outcome = outcome


class _Opening:
    """One attempt."""

    def __init__(self, transport: Transport, patience_s: float) -> None:
        self._transport = transport
        self._patience_s = patience_s
        self._token = secrets.token_hex(8)
        self._unread = b""
        self._printed = 0
        self._tail = b""
        self.noise = b""
        self.channel = transport.open_shell(program.bootstrap(self._token))

    def greet(self, frame: bytes, until: float, *, later: bool) -> bytes:
        """Send the program, see it begin; what followed. `later`: not before the bootstrap says hello."""
        self._send(program.preface(self._token) + (b"" if later else frame))
        word = self._word(until)
        if word == "hello":
            if later:
                self._send(frame)
            word = self._word(time.monotonic() + _HEARING_S)
        if word != "heard":
            raise _Failed("deaf" if word == "deaf" else "eaten")
        return self._unread

    def _send(self, data: bytes) -> None:
        try:
            self.channel.send(data)
        except UnreachableError:
            if not self._transport.alive:
                raise
            # The shell has ended: what it said of it is still to be read, and ends with the end of the stream.

    def _word(self, until: float) -> Word:
        """The bootstrap's next word."""
        mark = f"{self._token} ".encode()
        while True:
            for word in _WORDS:
                before, found, after = self._unread.partition(mark + word.encode() + b"\n")
                if found:
                    self._keep(before)
                    self._unread = after
                    return word  # type: ignore[return-value] # one of _WORDS
            kept = len(mark) + max(map(len, _WORDS))
            self._keep(self._unread[:-kept])
            self._unread = self._unread[-kept:]
            self._receive(until)

    def _receive(self, until: float) -> None:
        data = self.channel.receive(max(min(_POLL_S, until - time.monotonic()), 0.0))
        if data == b"":
            self._keep(self._unread)
            raise _Failed("ended")
        if data is None and not self._transport.alive:
            raise UnreachableError(
                "the connection to the host was lost while its login files were read",
                hint="run the same command again",
            )
        self._unread += data or b""
        if self._printed > MOST_NOISE:
            raise _Failed("flood")
        if time.monotonic() >= until:
            self._keep(self._unread)
            raise _Failed("late")

    def _keep(self, noise: bytes) -> None:
        self._printed += len(noise)
        self._tail = (self._tail + noise)[-_KEPT:]
        self.noise = (self.noise + noise)[:_KEPT]

    def failure(self, outcome: Outcome) -> LoginFailure:
        """What can be known of the attempt now that it has failed."""
        status = self.channel.exit_status if isinstance(self.channel, Ending) else None
        said = self.channel.stderr_tail()
        return LoginFailure(outcome, self._patience_s, _text(self._tail), said, status)

    def abandon(self) -> None:
        """Leave nothing behind on the host that runs on: the shell may be in an endless loop."""
        if isinstance(self.channel, Ending):
            self.channel.kill()
        self.channel.close()


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")
