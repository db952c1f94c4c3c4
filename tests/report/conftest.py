"""A run shown on recorded consoles."""

import io
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from rich.console import Console
from scupi_provision.report.console import ConsoleReporter


@dataclass(frozen=True)
class Shown:
    out: str
    err: str


def recorded(width: int = 100, *, terminal: bool = False) -> Console:
    return Console(file=io.StringIO(), width=width, force_terminal=terminal, color_system=None, highlight=False)


def show_run(*events, terminal: bool = False, width: int = 100, **options) -> Shown:
    out, err = recorded(width, terminal=terminal), recorded(width, terminal=terminal)
    reporter = ConsoleReporter(out, err, **options)
    for event in events:
        reporter.handle(event)
    reporter.close()
    return Shown(out.file.getvalue(), err.file.getvalue())


@pytest.fixture(scope="session")
def show() -> Callable[..., Shown]:
    """show(event, ..., diff=, verbosity=, animated=) -> what stood on stdout and on stderr."""
    return show_run


@pytest.fixture(scope="session")
def console() -> Callable[..., Console]:
    return recorded
