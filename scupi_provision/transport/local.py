"""Somebody sits on the host itself: the same channel, to a process instead of over SSH."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, Literal

from scupi_provision.errors import UnreachableError
from scupi_provision.transport.tail import Tail

_PATH = "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin"
_PASSED_ON = ("HOME", "USER", "LOGNAME", "SHELL", "LANG", "LC_ALL", "TZ", "TMPDIR")
_WINDOW_BYTES = 64 * 1024 * 1024  # as over SSH: this much may wait for us before the process is held back
_READ_BYTES = 64 * 1024
_END_S = 1.0
_LAST_WORDS_S = 0.2


class LocalTransport:
    """The Transport protocol on this machine."""

    way: Literal["jump"] = "jump"
    explanation = ""

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        """Run commands with `environment`, by default what a login here would have, without our virtual environment."""
        self._environment = dict(environment) if environment is not None else _login_environment()
        self._channels: list[LocalChannel] = []
        self._closed = False

    @property
    def alive(self) -> bool:
        """Whether `close` has not been called."""
        return not self._closed

    def open_shell(self, command: str) -> LocalChannel:
        """Start `command` by /bin/sh, in a session of its own so that Ctrl-C here does not reach it."""
        if self._closed:
            raise UnreachableError("This local connection was closed")
        try:
            process = subprocess.Popen(
                ["/bin/sh", "-c", command],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                bufsize=0,
                cwd=self._environment.get("HOME"),
                env=self._environment,
                start_new_session=True,
            )
        except OSError as error:
            raise UnreachableError(
                "This machine cannot run /bin/sh",
                detail=str(error),
                hint="`ansible_connection: local` is for Linux and macOS, with a home directory that exists",
            ) from error
        channel = LocalChannel(process)
        self._channels.append(channel)
        return channel

    def close(self) -> None:
        """End all shells; idempotent, never raises."""
        self._closed = True
        for channel in self._channels:
            channel.close()


class LocalChannel:
    """The Channel protocol over the pipes of a process. One thread may send while another receives."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        """Take over a process whose three streams are pipes."""
        self._process = process
        self._output = _Backlog()
        self._stderr = Tail()
        self._readers = [
            threading.Thread(target=self._read, args=(process.stdout, self._output), daemon=True),
            threading.Thread(target=self._read, args=(process.stderr, self._stderr), daemon=True),
        ]
        for reader in self._readers:
            reader.start()
        self._closed = False

    @staticmethod
    def _read(pipe: IO[bytes], sink: _Backlog | Tail) -> None:
        with pipe:
            while data := pipe.read(_READ_BYTES):
                sink.add(data)
        if isinstance(sink, _Backlog):
            sink.end()

    def send(self, data: bytes) -> None:
        """Write all of `data`, or raise UnreachableError."""
        stdin = self._process.stdin
        view = memoryview(data)
        try:
            while view and stdin:
                view = view[stdin.write(view) :]
        except (OSError, ValueError) as error:  # EPIPE, or closed by another thread
            raise UnreachableError(
                "The local shell ended before it had read its input", detail=self.stderr_tail()
            ) from error

    def receive(self, timeout_s: float) -> bytes | None:
        """At least one byte, b"" at the end of the stream, None after `timeout_s`."""
        return self._output.take(timeout_s)

    def stderr_tail(self) -> str:
        """The last 8 KiB that the process wrote to stderr."""
        if self._output.ended:  # then its last words may still be on their way through the other pipe
            self._readers[1].join(_LAST_WORDS_S)
        return self._stderr.text()

    @property
    def exit_status(self) -> int | None:
        """The shell's exit status once it has ended; None before, and when a signal ended it."""
        status = self._process.poll()
        return None if status is None or status < 0 else status

    def kill(self) -> None:
        """End the shell whatever it does; idempotent, never raises."""
        self.close()

    def close(self) -> None:
        """Close the shell's stdin, give it a second, then end it and its children; idempotent, never raises."""
        if self._closed:
            return
        self._closed = True
        if self._process.stdin:
            with suppress(OSError):  # nothing is buffered (bufsize=0): at worst the pipe was broken already
                self._process.stdin.close()
        self._output.discard()
        self._end_process()
        for reader in self._readers:
            reader.join(_END_S)

    def _end_process(self) -> None:
        """Wait for the shell; ask its whole process group to end, then make it, while the shell is still there."""
        for signal_number in (None, signal.SIGTERM, signal.SIGKILL):
            if signal_number:
                with suppress(ProcessLookupError):  # not waited for yet, so the number is still its own
                    os.killpg(self._process.pid, signal_number)
            try:
                self._process.wait(_END_S)
            except subprocess.TimeoutExpired:
                continue
            return


class _Backlog:
    """Bytes between a reader thread and `receive`, held back at `_WINDOW_BYTES`."""

    def __init__(self) -> None:
        self._pieces: deque[bytes] = deque()
        self._size = 0
        self._ended = False
        self._discarding = False
        self._changed = threading.Condition()

    @property
    def ended(self) -> bool:
        """Whether nothing more will come."""
        return self._ended

    def add(self, data: bytes) -> None:
        """Wait for room, then append."""
        with self._changed:
            self._changed.wait_for(lambda: self._size < _WINDOW_BYTES or self._discarding)
            if not self._discarding:
                self._pieces.append(data)
                self._size += len(data)
            self._changed.notify_all()

    def end(self) -> None:
        """Nothing more will come."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def discard(self) -> None:
        """Nobody will take anything any more: drop all that comes, and count as ended."""
        with self._changed:
            self._discarding = self._ended = True
            self._pieces.clear()
            self._changed.notify_all()

    def take(self, timeout_s: float) -> bytes | None:
        """Everything there is; b"" when ended and empty; None when nothing came within `timeout_s`."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._pieces or self._ended, max(timeout_s, 0)):
                return None
            data = b"".join(self._pieces)
            self._pieces.clear()
            self._size = 0
            self._changed.notify_all()
            return data


def _login_environment() -> dict[str, str]:
    """What sshd would give: who and where one is, and the system's PATH rather than that of our virtual environment."""
    environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    environment.setdefault("HOME", str(Path.home()))
    return {**environment, "PATH": _PATH}
