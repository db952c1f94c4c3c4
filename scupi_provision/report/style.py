"""Colours, words for outcomes, and how a console is opened. Every word reads the same without its colour."""

from __future__ import annotations

import os
from typing import TextIO

from rich.console import Console

from scupi_provision.events import Outcome
from scupi_provision.report.masked import MaskedStream

ERROR = "bold red"
WARNING = "bold yellow"
HINT = "cyan"
GUTTER = "blue"
HEADING = "bold"
QUIET = "dim"
GOOD = "green"
BAD = "red"

OUTCOME_WORDS: dict[Outcome, str] = {
    Outcome.OK: "ok",
    Outcome.CHANGED: "changed",
    Outcome.WOULD_CHANGE: "would change",
    Outcome.SKIPPED: "skipped",
    Outcome.FAILED: "failed",
    Outcome.RESCUED: "rescued",
    Outcome.IGNORED: "ignored",
    Outcome.UNREACHABLE: "unreachable",
    Outcome.UNKNOWN: "unknown",
}

OUTCOME_STYLES: dict[Outcome, str] = {
    Outcome.OK: "green",
    Outcome.CHANGED: "yellow",
    Outcome.WOULD_CHANGE: "yellow",
    Outcome.SKIPPED: "cyan",
    Outcome.FAILED: "bold red",
    Outcome.RESCUED: "magenta",
    Outcome.IGNORED: "magenta",
    Outcome.UNREACHABLE: "bold red",
    Outcome.UNKNOWN: "blue",
}


def open_console(stream: TextIO) -> Console:
    """A console on `stream` that interprets nothing in what it prints: no markup, no emoji names, no highlighting.

    What the mask of this process knows does not pass, whoever prints it.

    With NO_COLOR in the environment it writes no style sequences at all, bold included.
    """
    plain = bool(os.environ.get("NO_COLOR"))
    return Console(
        file=MaskedStream(stream),  # type: ignore[arg-type]  # all that rich asks of a file
        color_system=None if plain else "auto",
        no_color=plain,
        force_jupyter=False,
        highlight=False,
        markup=False,
        emoji=False,
    )


def is_animated(console: Console) -> bool:
    """Whether a live region may be drawn: a real terminal that can move its cursor, and NO_COLOR not set."""
    return console.file.isatty() and not console.no_color and not console.is_dumb_terminal
