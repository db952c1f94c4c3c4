"""Commands that the lab runs on the controller while it fetches what its mirror serves."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from invoke.context import Context
from invoke.exceptions import CommandTimedOut
from invoke.runners import Local, Result

from scupi_provision.lab.processes import end_family

_TAIL_LINES = 6


@dataclass(frozen=True)
class Ran:
    """What became of a command: `status` is its exit status, 124 when it ran out of time, 127 when it is missing."""

    status: int
    output: str

    @property
    def tail(self) -> str:
        """The last lines it wrote, for an error's detail."""
        return "\n".join(self.output.strip().splitlines()[-_TAIL_LINES:])


class _Runner(Local):
    """Invoke's local runner, which by itself leaves its pipes open, and the command's children running."""

    def kill(self) -> None:
        """On time-out, end the command's children too: apt and pip work through them, and they hold its output."""
        end_family(self.process.pid)
        super().kill()

    def stop(self) -> None:
        super().stop()
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            if pipe is not None:
                pipe.close()


def run_here(arguments: Sequence[str], *, directory: Path, timeout_s: float) -> Ran:
    """Run a command in `directory` with no input; its two outputs come back as one text."""
    line = f"cd {shlex.quote(str(directory))} && exec {shlex.join(arguments)} < /dev/null 2>&1"
    options = {"hide": True, "warn": True, "in_stream": False, "shell": "/bin/sh", "timeout": int(timeout_s)}
    try:
        result = cast("Result", _Runner(Context()).run(line, **options))
    except CommandTimedOut as error:
        return Ran(124, f"{error.result.stdout}\n(stopped after {timeout_s:.0f} s)")
    return Ran(result.return_code, result.stdout)
