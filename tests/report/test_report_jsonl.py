import io
import json
from datetime import datetime, timezone

from scupi_provision.errors import Diagnostic, Position
from scupi_provision.events import HostSummary, Outcome, RunStarted, TaskFinished, TaskLabel
from scupi_provision.report.demo import demo_events
from scupi_provision.report.jsonl import JsonLinesReporter, event_to_dict

WHEN = datetime(2026, 1, 2, 3, 4, 5, 678_901, tzinfo=timezone.utc)


def written(*events) -> str:
    stream = io.StringIO()
    reporter = JsonLinesReporter(stream, clock=lambda: WHEN)
    for event in events:
        reporter.handle(event)
    reporter.close()
    return stream.getvalue()


def test_an_event_is_its_name_and_fields_in_built_in_types() -> None:
    task = TaskLabel("n", "copy", where=Position("a.yaml", 3, 5))
    event = TaskFinished("h", task, Outcome.FAILED, error=Diagnostic("why", Position("b.yaml", 1, 2)))
    fields = event_to_dict(event)
    assert list(fields)[:4] == ["event", "host", "task", "outcome"]
    assert fields["task"]["where"] == {"file": "a.yaml", "line": 3, "column": 5}
    assert (type(fields["outcome"]), fields["outcome"]) == (str, "failed")
    assert fields["error"]["where"]["line"] == 1
    assert fields["diffs"] == []


def test_counts_are_keyed_by_outcome_values() -> None:
    assert event_to_dict(HostSummary("h", {Outcome.UNKNOWN: 2}))["counts"] == {"known_after_apply": 2}


def test_a_line_begins_with_event_and_time() -> None:
    assert written(RunStarted("check", "s", ("h",))) == (
        '{"event": "RunStarted", "time": "2026-01-02T03:04:05.678+00:00", "verb": "check", "site": "s", '
        '"hosts": ["h"], "stand_ins": []}\n'
    )


def test_every_line_of_a_run_parses_back_to_its_event() -> None:
    events = [*demo_events(fails=True), *demo_events(fails=False)]
    lines = written(*events).splitlines()
    assert len(lines) == len(events)
    for line, event in zip(lines, events, strict=True):
        fields = json.loads(line)
        del fields["time"]
        assert fields == event_to_dict(event)


def test_a_line_is_printable_ascii_whatever_a_host_says() -> None:
    text = written(RunStarted("\x1b[2J\u202e\ud800\n\x7f", "文", ()))
    assert text.removesuffix("\n").isprintable()
    assert text.isascii()
    assert json.loads(text)["verb"] == "\x1b[2J\u202e\ud800\n\x7f"
