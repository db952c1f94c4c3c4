"""Events of a run to whoever asked for it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from scupi_provision.events import Event

Result = TypeVar("Result")


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


def show_results(found: Iterator[Event | Result], kind: type[Result], use: Callable[[Result], None]) -> int:
    """Hand each result to `use` as it comes, and tell on stderr what happens meanwhile.

    Returns:
        The exit code: 3 when a host could not be reached, else 0.
    """
    from scupi_provision.events import HostUnreachable  # noqa: PLC0415 - keeps `--help` fast
    from scupi_provision.report import make_reporter  # noqa: PLC0415

    reporter = make_reporter("console", diff=False, verbosity=0, stdout=sys.stderr, stderr=sys.stderr)
    code = 0
    try:
        for each in found:
            if isinstance(each, kind):
                use(each)
                continue
            reporter.handle(each)  # type: ignore[arg-type]  # what is no result is an event
            code = 3 if isinstance(each, HostUnreachable) else code
    finally:
        reporter.close()
    return code
