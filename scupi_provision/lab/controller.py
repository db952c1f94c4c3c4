"""Commands that the lab runs on the controller while it fetches what its mirror serves."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from invoke.runners import Result

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


def run_here(arguments: Sequence[str], *, directory: Path, timeout_s: float) -> Ran:
    """Run a command in `directory` with no input; its two outputs come back as one text."""
    from invoke.context import Context  # noqa: PLC0415 - only a lab that fetches something needs it
    from invoke.exceptions import CommandTimedOut  # noqa: PLC0415

    line = f"cd {shlex.quote(str(directory))} && exec {shlex.join(arguments)} 2>&1"
    options = {"hide": True, "warn": True, "in_stream": False, "shell": "/bin/sh", "timeout": int(timeout_s)}
    try:
        result = cast("Result", Context().run(line, **options))
    except CommandTimedOut as error:
        return Ran(124, f"{error.result.stdout}\n(stopped after {timeout_s:.0f} s)")
    return Ran(result.return_code, result.stdout)
