"""Opening a line to a host: from the account's login files, whatever they do, to our program. Or saying why not."""

from __future__ import annotations

import math
import secrets
import time
from dataclasses import dataclass
from typing import Literal

from scupi_provision.errors import UnreachableError
from scupi_provision.run.login_shell import LoginFailure, Outcome, explained
from scupi_provision.shell import program
from scupi_provision.transport.base import Channel, Ending, Transport

PATIENCE_S = 9.0
"""How long the login files may take, unless the inventory's `provision_login_timeout` says otherwise."""
_HEARING_S = 30.0
"""From the bootstrap's hello until it has our program: some tens of kilobytes, on the slowest of lines."""
_SILENCE_S = 1.0
"""From the hello until we ask whether the program has arrived. It mostly has, and then nothing is asked."""
_POLL_S = 0.5
_STATUS_S = 2.0
"""From the end of the stream to the exit status. A shell that a signal has ended has none: then we wait in vain."""
_STATUS_POLL_S = 0.01
MOST_NOISE = 1024 * 1024
"""Bytes that login files may print before they are taken to print without end."""
_KEPT = 4096
"""Bytes of the beginning and of the end of what they print that are kept, each."""
_WORDS = ("hello", "heard", "eaten", "deaf")

Word = Literal["hello", "heard", "eaten", "deaf"]


@dataclass(frozen=True)
class Manner:
    """How a line is opened.

    Attributes:
        later: Whether the program is sent only when the start-up files have ended. By default everything goes at once,
            and only what a start-up file has eaten is sent again.
        interrupt: What is typed, every second, to end what a start-up file waits for.
    """

    later: bool = False
    interrupt: bytes = b""


AT_ONCE = Manner()
_BETWEEN_INTERRUPTS_S = 1.0
_FODDER = b"\n" * 4096
"""Sent now and then to a start-up file that wants more input than the preface has; what is left is skipped."""


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


def open_line(
    transport: Transport,
    frame: bytes,
    *,
    patience_s: float = PATIENCE_S,
    account: str = "",
    manner: Manner = AT_ONCE,
) -> Line:
    """Open a line and send it the first program.

    Everything goes at once. Where a start-up file has read a part of it, once more: then the program is sent when the
    start-up files have ended.

    Args:
        transport: The way to the host.
        frame: The program as it travels.
        patience_s: How long the login files may take.
        account: Whose they are, for the advice.
        manner: How the line is opened.

    Raises:
        LoginShellError: They let no program begin; it says what is known of why.
        UnreachableError: The connection was lost.
    """
    login = _Login(transport, frame, time.monotonic() + patience_s, patience_s, account, manner.interrupt)
    return login.attempt(later=manner.later)


class _Failed(Exception):  # noqa: N818 - never leaves this file
    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome)
        self.outcome = outcome


@dataclass(frozen=True)
class _Login:
    """What `open_line` was asked for."""

    transport: Transport
    frame: bytes
    until: float
    patience_s: float
    account: str
    interrupt: bytes

    def attempt(self, *, later: bool) -> Line:
        """Open it; with `later`, send the program only when the start-up files have ended."""
        opening = _Opening(self.transport, self.patience_s, self.interrupt)
        try:
            rest = opening.greet(self.frame, self.until, later=later)
        except _Failed as failed:
            opening.abandon(ended=failed.outcome == "ended")
            if failed.outcome == "eaten" and not later:
                return self.attempt(later=True)
            raise explained(opening.failure(failed.outcome), self.account) from failed
        except BaseException:
            opening.abandon(ended=False)
            raise
        return Line(opening.channel, opening.noise, rest, 3 if later else 1)


class _Opening:
    """One attempt."""

    def __init__(self, transport: Transport, patience_s: float, interrupt: bytes) -> None:
        self._transport = transport
        self._patience_s = patience_s
        self._interrupt = interrupt
        self._most_noise = math.inf if interrupt else MOST_NOISE  # what is interrupted may print until then
        self._interrupt_at = time.monotonic() + _BETWEEN_INTERRUPTS_S
        self._fodder = b""
        self._token = secrets.token_hex(8)
        self._unread = b""
        self._printed = 0
        self._tail = b""
        self.noise = b""
        self.channel = transport.open_shell(program.bootstrap(self._token))

    def greet(self, frame: bytes, until: float, *, later: bool) -> bytes:
        """Send the program, see it begin; what followed. `later`: not before the bootstrap says hello."""
        self._send(program.preface(self._token) + (b"" if later else frame))
        self._fodder = _FODDER if later and not self._interrupt else b""
        word = self._word(until)
        if word == "hello":
            self._interrupt = self._fodder = b""
            if later:
                self._send(frame)
            word = self._heard()
        if word != "heard":
            raise _Failed("deaf" if word == "deaf" else "eaten")
        return self._unread

    def _heard(self) -> Word:
        """What the bootstrap says of the program. Silence means that it waits for what somebody else has read."""
        try:
            return self._word(time.monotonic() + _SILENCE_S)
        except _Failed as failed:
            if failed.outcome != "late":
                raise
        self._send(program.LOST)
        try:
            return self._word(time.monotonic() + _HEARING_S)
        except _Failed as failed:
            raise _Failed("eaten" if failed.outcome == "late" else failed.outcome) from failed

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
        if self._interrupt and time.monotonic() >= self._interrupt_at:
            self._type_interrupt()
        data = self.channel.receive(max(min(_POLL_S, until - time.monotonic()), 0.0))
        if data == b"":
            raise _Failed("ended")
        if data is None and not self._transport.alive:
            raise UnreachableError(
                "the connection to the host was lost while its login files were read",
                hint="run the same command again",
            )
        if data is None and self._fodder:
            self._send(self._fodder)
        self._unread += data or b""
        if self._printed > self._most_noise:
            raise _Failed("flood")
        if time.monotonic() >= until:
            raise _Failed("late")

    def _type_interrupt(self) -> None:
        self._send(self._interrupt)
        time.sleep(_POLL_S)  # what is typed before the interrupt has been taken is thrown away with it
        self._send(program.preface(self._token))
        self._interrupt_at = time.monotonic() + _BETWEEN_INTERRUPTS_S

    def _keep(self, noise: bytes) -> None:
        self._printed += len(noise)
        self._tail = (self._tail + noise)[-_KEPT:]
        self.noise = (self.noise + noise)[:_KEPT]

    def failure(self, outcome: Outcome) -> LoginFailure:
        """What can be known of the attempt now that it has failed."""
        status = self._status() if outcome == "ended" else None
        said = self.channel.stderr_tail()
        return LoginFailure(outcome, self._patience_s, _text(self._tail + self._unread), said, status)

    def _status(self) -> int | None:
        """The shell's exit status, which SSH sends in a message of its own, mostly just after the end of the stream."""
        if not isinstance(self.channel, Ending):
            return None
        until = time.monotonic() + _STATUS_S
        while (status := self.channel.exit_status) is None and self._transport.alive and time.monotonic() < until:
            time.sleep(_STATUS_POLL_S)
        return status

    def abandon(self, *, ended: bool) -> None:
        """Leave nothing behind on the host that runs on: a shell that has not ended may be in an endless loop."""
        if not ended and isinstance(self.channel, Ending):
            self.channel.kill()
        self.channel.close()


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")
