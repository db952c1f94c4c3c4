"""A rescue as it is printed: what a host says stays text, long statements are cut short, JSON has every step."""

from __future__ import annotations

import io
import json

from rich.console import Console
from scupi_provision.host.recovery import (
    Fault,
    Finding,
    Healthy,
    LoggedIn,
    ModeFinding,
    Repaired,
    Restored,
    Unrepaired,
    WayTried,
)
from scupi_provision.report.rescue import print_step, step_line

STEPS = (
    WayTried("a command", "the shell ended (exit status 3)\nlast words: \x1b[31mred"),
    WayTried("a terminal"),
    Finding(
        "/home/me/.bashrc", 2, 3, "echo '\x1b]0;title\x07'\nexit", Fault.ENDS, "command", "line 2: [bold]no", ours=True
    ),
    ModeFinding("/home/me", 0o775, 0o755),
    Repaired("/home/me/.bashrc", "/home/me/.bashrc.before-rescue-1"),
    Repaired("/home/me"),
    Restored("/home/me/.bashrc", "/home/me/.bashrc.before-rescue-1", ""),
    LoggedIn("admin1", 0.4),
    LoggedIn("admin1", 0.4, "it prints\x1b[2J"),
    Unrepaired("only looked"),
    Healthy(),
)


def _printed(*steps) -> str:
    stream = io.StringIO()
    console = Console(file=stream, width=200, color_system=None)
    for step in steps:
        print_step(step, console)
    return stream.getvalue()


def test_nothing_that_a_host_says_controls_the_terminal():
    text = _printed(*STEPS)
    assert not set(text) & {"\x1b", "\x07"}
    assert "[bold]no" in text


def test_a_finding_tells_where_what_and_why():
    text = _printed(STEPS[2])
    assert "/home/me/.bashrc:2-3: it ends the shell" in text
    assert "            | exit\n" in text
    assert "provision's own block" in text


def test_of_a_long_statement_only_the_beginning_is_shown():
    text = _printed(Finding("/home/me/.bashrc", 1, 50, "x\n" * 50, Fault.SYNTAX, "command"))
    assert text.count("| x") == 8
    assert "(and 42 more lines)" in text


def test_every_step_is_one_line_of_json():
    for step in STEPS:
        line = step_line(step)
        assert line.isascii()
        assert "\n" not in line
        assert json.loads(line)["step"] == type(step).__name__
    assert json.loads(step_line(STEPS[2]))["fault"] == "ends"
