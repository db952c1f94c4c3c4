"""Events of a run to whoever asked for it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scupi_provision.events import Event


def show(events: Iterator[Event], *, diff: bool, json: bool, verbose: int) -> int:
    """Report every event; the exit code is that of RunFinished."""
    from scupi_provision.events import RunFinished  # noqa: PLC0415 - keeps `--help` fast
    from scupi_provision.report import make_reporter  # noqa: PLC0415

    reporter = make_reporter(
        "json" if json else "console", diff=diff, verbosity=verbose, stdout=sys.stdout, stderr=sys.stderr
    )
    code = 0
    try:
        for event in events:
            reporter.handle(event)
            if isinstance(event, RunFinished):
                code = event.exit_code
    finally:
        reporter.close()
    return code
