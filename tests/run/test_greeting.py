"""Opening a line to a host whose messages come in their own time."""

from __future__ import annotations

import threading

import pytest
from scupi_provision.errors import LoginShellError
from scupi_provision.run.greeting import open_line


class _EndsThenTells:
    """A shell over SSH that has ended: the end of its stream is there, its exit status comes in a later message."""

    def __init__(self, delay_s: float) -> None:
        self._told = threading.Event()
        threading.Timer(delay_s, self._told.set).start()

    def send(self, data: bytes) -> None:
        pass

    def receive(self, timeout_s: float) -> bytes | None:
        return b""

    def stderr_tail(self) -> str:
        return "quota exceeded"

    def close(self) -> None:
        pass

    def kill(self) -> None:
        pass

    @property
    def exit_status(self) -> int | None:
        return 3 if self._told.is_set() else None


class _Host:
    alive = True
    way = "jump"
    explanation = ""

    def __init__(self, channel: _EndsThenTells) -> None:
        self._channel = channel

    def open_shell(self, command: str) -> _EndsThenTells:
        return self._channel

    def close(self) -> None:
        pass


def test_an_exit_status_that_comes_after_the_end_of_the_stream_is_told():
    with pytest.raises(LoginShellError) as caught:
        open_line(_Host(_EndsThenTells(0.1)), b"")  # type: ignore[arg-type] # of a transport, what is used here
    assert "exit status 3" in caught.value.diagnostic.detail
    assert "quota exceeded" in caught.value.diagnostic.detail
