"""No text of any event reaches the terminal as anything but visible text."""

import io
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scupi_provision.errors import Diagnostic, Position, ProvisionError
from scupi_provision.events import (
    CheckFinished,
    Diff,
    Event,
    HostConnected,
    HostSummary,
    HostUnreachable,
    Notice,
    Outcome,
    PlayStarted,
    Proved,
    RunFinished,
    RunStarted,
    TaskFinished,
    TaskLabel,
    TaskProgress,
    TaskStarted,
    Verified,
)
from scupi_provision.report.errors import error_text
from scupi_provision.report.jsonl import JsonLinesReporter

HOSTILE = st.text(
    st.one_of(
        st.sampled_from("\x1b\x9b\x07\x08\r\n\t\x0b\x0c\x00\x7f\u202e\u2066\u200b\u2028\ufeff[]/\\:a中"),
        st.characters(),
    ),
    max_size=12,
)
POSITIONS = st.builds(Position, HOSTILE, st.integers(1, 9999), st.integers(1, 40))
TASKS = st.builds(TaskLabel, HOSTILE, HOSTILE, HOSTILE, HOSTILE, st.none() | POSITIONS)
DIAGNOSTICS = st.builds(Diagnostic, HOSTILE, st.none() | POSITIONS, HOSTILE, HOSTILE, HOSTILE)
HOSTS = st.lists(HOSTILE, max_size=3).map(tuple)
DIFFS = st.builds(Diff, HOSTILE, st.none() | HOSTILE, st.none() | HOSTILE, HOSTILE)
SECONDS = st.floats(0, 1e5)
OUTCOMES = st.sampled_from(Outcome)
STRATEGIES = {
    RunStarted: st.builds(RunStarted, HOSTILE, HOSTILE, HOSTS, HOSTS),
    Notice: st.builds(Notice, HOSTILE, HOSTILE, st.sampled_from(["info", "warning"])),
    HostConnected: st.builds(HostConnected, HOSTILE, HOSTILE, HOSTS, SECONDS),
    HostUnreachable: st.builds(HostUnreachable, HOSTILE, DIAGNOSTICS),
    PlayStarted: st.builds(PlayStarted, HOSTILE, HOSTS, st.sampled_from(["apply", "verify"])),
    TaskStarted: st.builds(TaskStarted, HOSTILE, TASKS),
    TaskProgress: st.builds(TaskProgress, HOSTILE, TASKS, HOSTILE, SECONDS, HOSTILE),
    TaskFinished: st.builds(
        TaskFinished,
        HOSTILE,
        TASKS,
        OUTCOMES,
        HOSTILE,
        st.lists(DIFFS, max_size=2).map(tuple),
        HOSTILE,
        HOSTILE,
        SECONDS,
        st.none() | DIAGNOSTICS,
    ),
    CheckFinished: st.builds(CheckFinished, HOSTILE, TASKS, st.booleans(), HOSTILE, HOSTILE),
    Verified: st.builds(Verified, HOSTILE, st.integers(0, 20), HOSTILE),
    Proved: st.builds(Proved, HOSTILE, st.lists(TASKS, max_size=2).map(tuple), st.lists(TASKS, max_size=2).map(tuple)),
    HostSummary: st.builds(HostSummary, HOSTILE, st.dictionaries(OUTCOMES, st.integers(0, 9))),
    RunFinished: st.builds(RunFinished, st.sampled_from(["apply", "check", "verify"]), st.integers(0, 6), SECONDS),
}
EVENTS = st.one_of(*STRATEGIES.values())


def dangerous(text: str) -> list[str]:
    """Characters that control a terminal or hide; line feeds are ours."""
    return [c for c in text if c != "\n" and unicodedata.category(c) in {"Cc", "Cf", "Cs", "Zl", "Zp"}]


def test_every_event_there_is_has_a_strategy_here() -> None:
    assert set(STRATEGIES) == set(Event.__args__)


@settings(max_examples=150)
@given(st.lists(EVENTS, max_size=6))
def test_no_control_character_of_any_event_reaches_a_console(show, events: list[Event]) -> None:
    shown = show(*events, RunFinished("apply", 0, 1.0), diff=True, verbosity=1)
    assert dangerous(shown.out + shown.err) == []


@given(DIAGNOSTICS)
def test_no_control_character_of_a_diagnostic_reaches_a_console(diagnostic: Diagnostic) -> None:
    error = ProvisionError("x")
    error.diagnostics = (diagnostic,)
    assert dangerous(error_text(error)) == []


@given(EVENTS)
def test_json_lines_are_one_printable_line_each(event: Event) -> None:
    stream = io.StringIO()
    JsonLinesReporter(stream).handle(event)
    assert stream.getvalue()[:-1].isprintable()
    assert stream.getvalue()[-1] == "\n"


@pytest.mark.parametrize("field", ["name", "host", "phase", "last_line"])
def test_a_live_region_shows_escapes_of_what_a_host_sends(show, field: str) -> None:
    hostile = "\x1b]0;owned\x07"
    words = {"name": "n", "host": "h", "phase": "p", "last_line": "l"} | {field: hostile}
    event = TaskProgress(words["host"], TaskLabel(words["name"], "m"), words["phase"], 1.0, words["last_line"])
    shown = show(event, terminal=True, animated=True)
    assert "\x1b]0" not in shown.out
    assert "\\x1b]0;owned\\x07" in shown.out
