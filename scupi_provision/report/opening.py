"""From the options of a command to its reporter."""

from __future__ import annotations

import io
from typing import Literal, TextIO

from scupi_provision.report.base import Reporter
from scupi_provision.report.masked import MaskedReporter


def make_reporter(
    format: Literal["console", "json"],  # noqa: A002 - the name of the option it comes from
    *,
    diff: bool,
    verbosity: int,
    stdout: TextIO,
    stderr: TextIO,
) -> Reporter:
    """The reporter for a run. Nothing that the mask of this process knows passes it.

    Args:
        format: "console" for people, "json" for one JSON object a line (then `diff` and `verbosity` do not matter:
            machines get everything).
        diff: Show the text of each change.
        verbosity: 0 shows what changed or went wrong, 1 and more also what was already right or skipped.
        stdout: Where events go.
        stderr: Where problems go; the JSON reporter leaves it alone.
    """
    if format == "json":
        from scupi_provision.report.jsonl import JsonLinesReporter  # noqa: PLC0415 - one reporter is enough

        return MaskedReporter(JsonLinesReporter(stdout))
    from scupi_provision.report.console import ConsoleReporter  # noqa: PLC0415 - rich is slow to import
    from scupi_provision.report.style import open_console  # noqa: PLC0415

    _show_what_cannot_be_encoded(stdout)
    _show_what_cannot_be_encoded(stderr)
    console = ConsoleReporter(open_console(stdout), open_console(stderr), diff=diff, verbosity=verbosity)
    return MaskedReporter(console)


def _show_what_cannot_be_encoded(stream: TextIO) -> None:
    """Make a stream that is not UTF-8 show an escape for a character that it lacks, instead of ending the run."""
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors="backslashreplace")
