"""What bench/mixed_play.py measures: plays of conditions, loops, registered values, facts, handlers and blocks."""

from __future__ import annotations

import pytest
from mixed_play import measure, mixed_play, round_trips, verdict

pytestmark = pytest.mark.real


def test_a_mixed_play_takes_the_same_few_round_trips_whatever_its_size(tmp_path):
    counts = {}
    for tasks in (10, 1000):
        home = tmp_path / str(tasks)
        home.mkdir()
        counts[tasks] = round_trips(tasks, home)
    check, apply, converged = counts[10]
    assert counts[1000] == counts[10]
    assert check <= 3
    assert apply <= 5
    assert converged <= 3


def test_the_bench_measures_help_the_start_up_and_every_size():
    """That it runs; how long is said by the bench itself, on a machine that does nothing else."""
    figures = measure((6, 12), runs=1)
    assert list(figures) == ["--help", "start-up", "6 tasks", "12 tasks"]
    assert figures["start-up"] > 0


def test_what_is_slower_than_promised_is_said():
    assert verdict({"--help": 0.1, "1,000 tasks": 0.9}) == ""
    assert verdict({"--help": 0.25, "1,000 tasks": 1.5}) == "--help: 0.25 s, 1,000 tasks: 1.50 s"


def test_a_mixed_play_has_as_many_tasks_as_are_asked_for():
    """The blocks count with the one task in them."""
    assert [mixed_play(tasks).count("    - name: ") - tasks // 5 - 1 for tasks in (5, 10, 1000)] == [5, 10, 1000]
