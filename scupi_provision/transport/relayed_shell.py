"""Programs of ours on the last host that we reach ourselves, which go on to the next one for us."""

from __future__ import annotations

import secrets
import threading
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress

from scupi_provision.errors import UnreachableError
from scupi_provision.shell.program import bootstrap, frame, preface
from scupi_provision.shell.scripts import script
from scupi_provision.transport.base import Channel, Ending, Hop, Transport, Way
from scupi_provision.transport.failures import shell_gone, shell_silent

_SLICE_S = 0.5
_MOST_NOISE = 64 * 1024  # of login files, before our program says its first word


def new_mark() -> str:
    """What the lines of one program begin with; nobody can guess it."""
    return f"p{secrets.token_hex(16)}"


def start(gateway: Transport, mark: str, file: str, function: str, **variables: str) -> Channel:
    """Start a function of one of the shell's files on `gateway`; what is sent afterwards is its input."""
    text = script(file, MARK=mark, **variables)[-1]
    channel = gateway.open_shell(bootstrap(mark))
    with suppress(UnreachableError):  # a shell that ends at once reads nothing; whoever reads from it is told why
        channel.send(preface(mark) + frame(f"{text}{function}\n"))
    return channel


class Lines:
    """What a program says, line by line. Several threads may ask."""

    def __init__(self, channel: Channel, mark: str) -> None:
        """Read from a channel on which a program was started that says `mark`."""
        self.channel = channel
        self._mark = f"{mark} ".encode()
        self._rest = b""
        self._said: deque[list[str]] = deque()
        self._ended = False
        self._guard = threading.Lock()

    def within(self, timeout_s: float) -> Iterator[list[str]]:
        """The words of each line, until the end of the stream or of the time."""
        deadline = time.monotonic() + timeout_s
        while True:
            while self._said:
                yield self._said.popleft()
            left_s = deadline - time.monotonic()
            if self._ended or left_s <= 0:
                return
            self._more(min(_SLICE_S, left_s))

    def await_hello(self, gateway: Hop) -> None:
        """Return when the program has come past the login files of `gateway`.

        Raises:
            UnreachableError: They end the shell, or take longer than they may.
        """
        for kind, *_ in self.within(gateway.login_timeout_s):
            if kind == "hello":
                return
        raise shell_silent(gateway, self.channel.stderr_tail(), ended=self._ended)

    def wait_for_end(self, timeout_s: float) -> None:
        """Read on until the end or for this long; what is said meanwhile is of no use any more."""
        for _ in self.within(timeout_s):
            continue

    @property
    def ended(self) -> bool:
        """Whether the program has ended, by what has come so far."""
        if not self._ended:
            self._more(0)
        return self._ended

    def _more(self, timeout_s: float) -> None:
        with self._guard:
            try:
                data = self.channel.receive(timeout_s)
            except UnreachableError:
                data = b""  # whoever asks for a shell now is told why
            self._ended = data == b""
            *lines, self._rest = (self._rest + (data or b"")).split(b"\n")
            self._rest = self._rest[-_MOST_NOISE:]
            marked = (line.partition(self._mark) for line in lines)
            self._said.extend(words.decode("utf-8", "replace").split(" ") for _, mark, words in marked if mark)


class RelayedShell:
    """The Channel protocol over a shell on the gateway that has become one on the next host."""

    def __init__(self, channel: Channel, mark: str, check_end: Callable[[Channel, bool], None]) -> None:
        """Wrap a channel; `check_end(channel, begun)` raises when its end is an error of the way."""
        self._channel = channel
        self._begins = f"{mark} begins\n".encode()
        self._check_end = check_end
        self._before: bytes | None = b""
        self._closed = False

    def send(self, data: bytes) -> None:
        """Write everything or raise UnreachableError."""
        try:
            self._channel.send(data)
        except UnreachableError:
            self._check_end(self._channel, self._before is None)
            raise

    def receive(self, timeout_s: float) -> bytes | None:
        """At least one byte of the next host, b"" at its end, None after `timeout_s`."""
        deadline = time.monotonic() + timeout_s
        while True:
            data = self._channel.receive(max(deadline - time.monotonic(), 0))
            if data == b"" and not self._closed:
                self._check_end(self._channel, self._before is None)
            if not data or (data := self._of_the_next_host(data)):
                return data

    def _of_the_next_host(self, data: bytes) -> bytes:
        """Without what the gateway's login files print ahead of our program."""
        if self._before is None:
            return data
        before, begins, rest = (self._before + data).partition(self._begins)
        self._before = None if begins else before[-_MOST_NOISE:]
        return rest

    def stderr_tail(self) -> str:
        """The last lines that came on stderr, of either host."""
        return self._channel.stderr_tail()

    @property
    def exit_status(self) -> int | None:
        """The exit status that the gateway's program passes on; None before its end."""
        return self._channel.exit_status if isinstance(self._channel, Ending) else None

    def kill(self) -> None:
        """End the gateway's program, and with it what runs on the next host; never raises."""
        if isinstance(self._channel, Ending):
            self._channel.kill()

    def close(self) -> None:
        """End the shell's input; idempotent, never raises."""
        self._closed = True
        self._channel.close()


class RelayedTransport(ABC):
    """The Transport protocol over a program that runs on the gateway for as long as it is wanted."""

    way: Way

    def __init__(self, gateway: Transport, before: Hop, hop: Hop, line: Lines, explanation: str) -> None:
        """Go on from `before`, the last hop of `gateway`, to `hop`; the program behind `line` keeps the way open."""
        self._gateway = gateway
        self._before = before
        self._hop = hop
        self._line = line
        self._closed = False
        self.explanation = explanation

    @property
    def alive(self) -> bool:
        """Whether the gateway is alive and the way from there on stands."""
        return not self._closed and self._gateway.alive and not self._line.ended

    def open_shell(self, command: str) -> RelayedShell:
        """Start `command` on the next host: one round trip to the gateway, none for what is sent on."""
        if self._gateway.alive and not self.alive:
            raise self._lost(self._line.channel.stderr_tail())
        mark = new_mark()
        return RelayedShell(self._start(mark, command), mark, self._check_end)

    def close(self) -> None:
        """End the program and the way to the gateway; idempotent, never raises."""
        self._closed = True
        self._line.channel.close()
        self._gateway.close()

    def _check_end(self, channel: Channel, begun: bool) -> None:  # noqa: FBT001 - the callback's signature
        """Raise where a shell's end is the end of the way."""
        if self._closed or not self._gateway.alive:
            return
        said = channel.stderr_tail()
        if not begun:
            raise shell_gone(self._before, said)
        if error := self._end_of(said, channel.exit_status if isinstance(channel, Ending) else None):
            raise error

    @abstractmethod
    def _start(self, mark: str, command: str) -> Channel:
        """MUST start a program on the gateway that says `mark begins` and becomes `command` on the next host."""

    @abstractmethod
    def _end_of(self, said: str, status: int | None) -> UnreachableError | None:
        """MUST tell what the end of a shell with these last words means, when it is not the shell's own."""

    @abstractmethod
    def _lost(self, said: str) -> UnreachableError:
        """MUST say that the way is gone."""
