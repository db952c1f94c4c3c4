"""What bench/first_apply.py makes of what it is told: where the time went, on both ways."""

from __future__ import annotations

import subprocess
from pathlib import Path

from first_apply import Measured, Step, apply_steps, report, tutorial_steps

_BENCH = Path(__file__).parents[2] / "bench"


def _finished(time, seconds, name="Build git"):
    task = {"role": "git", "name": name, "item": ""}
    return {"event": "TaskFinished", "time": f"1970-01-01T00:01:{time}+00:00", "task": task, "seconds": seconds}


def _started(time, name="Build git"):
    task = {"role": "git", "name": name, "item": ""}
    return {"event": "TaskStarted", "time": f"1970-01-01T00:01:{time}+00:00", "task": task}


def test_each_step_of_the_tutorial_ends_where_the_next_begins():
    said = "noise\nstep 60.5 download git\nconfigure: step 1\nstep 62.0 make\nstep 72.25 end\n"
    assert tutorial_steps(said, 60.0) == [Step("download git", 0.5, 2.0), Step("make", 2.0, 12.25)]


def test_tasks_are_told_by_when_they_began_so_that_overlap_is_seen():
    """Also of one that ran aside, whose end is told late."""
    events = [
        {"event": "RunStarted", "time": "1970-01-01T00:01:00+00:00"},
        _started("01"),
        _started("10", "Install conda"),
        _finished("45", 10.0, "Install conda"),
        _finished("40", 39.0),
        _started("41", "Make a folder"),
        _finished("41", 0.1, "Make a folder"),
    ]
    assert apply_steps(events, 60.0) == [Step("git: Build git", 1.0, 40.0), Step("git: Install conda", 10.0, 20.0)]


def test_the_report_names_what_took_time():
    lines = report("the tutorial", Measured(12.5, [Step("make", 2.0, 12.25), Step("cd", 12.25, 12.3)])).splitlines()
    assert lines == ["the tutorial: 12.5 s", "     2.0 –   12.2    10.2 s  make"]


def test_the_tutorial_is_a_script_that_every_shell_can_read():
    subprocess.run(["sh", "-n", _BENCH / "tutorial.sh"], check=True)
