"""Every process that the probe starts: each has a time limit, and none outlives the probe."""

from __future__ import annotations

import ctypes
import faulthandler
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType, TracebackType
from typing import IO, Any

_RESULT = "provision-gpu-probe: "
"""What the line of a part's result begins with: torch and the driver's libraries print too."""
_GRACE_S = 5.0
"""How long a process that was killed may take to go. One that hangs in the driver never goes; nobody waits for it."""
_PR_SET_PDEATHSIG = 1
"""prctl(2): the signal that a process gets when its parent dies (linux/prctl.h)."""
_SAID_KEPT = 4000
_INTERPRETER_OPTIONS = [
    "-B",
    *(f"-{letter}" for flag, letter in (("isolated", "I"), ("no_site", "S")) if getattr(sys.flags, flag)),
]
"""Parts leave the folder as it is, and are started as the probe was."""


@dataclass(frozen=True)
class Ended:
    """How a process ended.

    Attributes:
        status: Its exit status; negative for a signal; None when its time was over.
        said: What it printed, both streams together, the last part of it.
        result: What a part of the probe reported last, or nothing.
        problem: Why there is no result, or "".
    """

    status: int | None
    said: str
    result: dict[str, Any] = field(default_factory=dict)
    problem: str = ""


@dataclass
class Started:
    """A process at work, and the file that its output goes to: a pipe would be held open by one that cannot die."""

    process: subprocess.Popen[bytes]
    output: IO[bytes]
    limit_s: float
    began: float


class Processes:
    """The processes of one run of the probe, all of which end within `limit_s` seconds."""

    def __init__(self, limit_s: float) -> None:
        self._deadline = time.monotonic() + limit_s
        self._alive: list[Started] = []

    def __enter__(self) -> Processes:
        faulthandler.dump_traceback_later(self.left_s + 2 * _GRACE_S, exit=True)  # should all else fail
        for name in ("SIGTERM", "SIGHUP", "SIGINT"):
            if hasattr(signal, name):
                signal.signal(getattr(signal, name), _leave)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for started in list(self._alive):
            self._end(started)
            started.output.close()

    @property
    def left_s(self) -> float:
        """Seconds until everything has to be over."""
        return max(self._deadline - time.monotonic(), 0.0)

    def start(self, argv: Sequence[str], limit_s: float, environment: Mapping[str, str] | None = None) -> Started:
        """Start a program in a session of its own, so that what it starts can be ended with it."""
        output = tempfile.TemporaryFile()  # noqa: SIM115 - closed when the process has ended
        process = subprocess.Popen(
            list(argv),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=dict(os.environ if environment is None else environment),
            start_new_session=True,
        )
        started = Started(process, output, limit_s, time.monotonic())
        self._alive.append(started)
        return started

    def wait(self, started: Started) -> Ended:
        """Wait until it has ended or its time is over; then it is killed."""
        left = min(started.limit_s - (time.monotonic() - started.began), self.left_s)
        status: int | None
        try:
            status = started.process.wait(max(left, 0.0))
        except subprocess.TimeoutExpired:
            status = None
        self._end(started)
        with started.output as output:
            output.seek(0)
            text = output.read().decode("utf-8", "replace")
        return _ended(status, text, time.monotonic() - started.began)

    def run(self, argv: Sequence[str], limit_s: float) -> Ended:
        """Start a program and wait for it. One that cannot be started has said nothing."""
        try:
            return self.wait(self.start(argv, limit_s))
        except OSError as error:
            return Ended(127, "", problem=f"{argv[0]}: {error.strerror}")

    def start_part(self, part: str, environment: Mapping[str, str], limit_s: float, *options: str) -> Started:
        """Start the probe's own program again, for one of its parts, in a fresh process."""
        limit_s = min(limit_s, self.left_s)
        own = ["--part", part, "--parent", str(os.getpid()), "--limit", f"{limit_s:.3f}"]
        argv = [sys.executable, *_INTERPRETER_OPTIONS, str(Path(sys.argv[0]).absolute()), *own, *options]
        return self.start(argv, limit_s, {**environment, "PYTHONNOUSERSITE": "1"})

    def _end(self, started: Started) -> None:
        if started in self._alive:
            self._alive.remove(started)
        with suppress(ProcessLookupError, PermissionError):  # nothing of it is left
            os.killpg(started.process.pid, signal.SIGKILL)
        try:
            started.process.wait(_GRACE_S)
        except subprocess.TimeoutExpired:
            started.process.returncode = -signal.SIGKILL  # it hangs in the driver; the signal waits for it there


def be_a_part(parent: int, limit_s: float) -> None:
    """In a part: end with the parent, and in any case when the time is over: a dead GPU hangs where nothing arrives."""
    faulthandler.dump_traceback_later(limit_s, exit=True)
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit("the probe that started this part is gone")


def tell(result: Mapping[str, Any]) -> None:
    """In a part: report. What is told last counts, so a part that may hang tells early what it knows."""
    sys.stdout.write(f"\n{_RESULT}{json.dumps(result)}\n")
    sys.stdout.flush()


def _leave(number: int, _frame: FrameType | None) -> None:
    raise SystemExit(128 + number)


def _ended(status: int | None, text: str, seconds: float) -> Ended:
    lines = text.splitlines()
    results = [line[len(_RESULT) :] for line in lines if line.startswith(_RESULT)]
    said = "\n".join(line for line in lines if not line.startswith(_RESULT)).strip()[-_SAID_KEPT:]
    result = json.loads(results[-1]) if results else {}
    last = said.splitlines()[-1] if said else "it said nothing"
    if status is None:
        return Ended(status, said, result, f"it was ended after {seconds:.0f} s, which was its limit")
    if status < 0:
        return Ended(status, said, result, f"it died of {_signal_name(-status)}: {last}")
    return Ended(status, said, result, "" if status == 0 else f"it ended with status {status}: {last}")


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
