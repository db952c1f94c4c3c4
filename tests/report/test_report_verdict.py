"""The closing sentence never says more than the run showed."""

import pytest
from scupi_provision.errors import Diagnostic
from scupi_provision.events import (
    CheckFinished,
    HostSummary,
    HostUnreachable,
    Outcome,
    PlayStarted,
    Proved,
    RunFinished,
    RunStarted,
    TaskFinished,
    TaskLabel,
    Verified,
)
from scupi_provision.report.tally import RunTally
from scupi_provision.report.verdict import Verdict, verdict

TASK = TaskLabel("t", "copy")
APPLY = PlayStarted("p", ("admin1",))
CHANGED = TaskFinished("admin1", TASK, Outcome.CHANGED)
PASSED = CheckFinished("gpu2", TASK, True, "a", "a")
BROKEN = CheckFinished("gpu2", TASK, False, "a", "b")
GONE = HostUnreachable("gpu2", Diagnostic("no"))


def closing(verb: str, exit_code: int, *events) -> Verdict:
    tally = RunTally()
    for event in (RunStarted(verb, "s", ()), *events):
        tally.note(event)
    return verdict(tally, RunFinished(verb, exit_code, 1.0))


@pytest.mark.parametrize(
    ("verb", "exit_code", "events", "words"),
    [
        ("apply", 0, [APPLY, CHANGED, Proved("admin1"), PASSED], "admin1 is as described, proved on gpu2"),
        ("apply", 0, [APPLY, Proved("admin1")], "admin1 is as described; no checks were run"),
        (
            "apply",
            0,
            [APPLY, Verified("gpu2", 12, "Monday")],
            "admin1 is as described, proved on gpu2 at Monday",
        ),
        ("apply", 0, [APPLY, CHANGED, PASSED], "admin1 was changed, but not read again to prove it"),
        (
            "apply",
            0,
            [APPLY, Proved("admin1", unprovable=(TASK,)), PASSED],
            "admin1 is as described, proved on gpu2; 1 command cannot be proved",
        ),
        (
            "check",
            0,
            [PlayStarted("p", ("a", "b"))],
            "a and b are as described: nothing would change",
        ),
        (
            "check",
            5,
            [APPLY, TaskFinished("admin1", TASK, Outcome.WOULD_CHANGE), TaskFinished("admin1", TASK, Outcome.UNKNOWN)],
            "1 task would change something and 1 task cannot be known before apply; nothing was changed",
        ),
        ("verify", 0, [PASSED, PASSED], "2 checks passed on gpu2"),
        ("verify", 0, [Verified("gpu2", 3, "Monday")], "proved on gpu2 at Monday"),
        ("verify", 0, [], "there was nothing to check"),
        ("rollback", 0, [], "done"),
        ("apply", 0, [PASSED], "no play was run, so nothing is known"),
        ("check", 0, [], "no play was run, so nothing is known"),
    ],
)
def test_good_news(verb: str, exit_code: int, events: list, words: str) -> None:
    assert closing(verb, exit_code, *events) == Verdict(words, is_good=True)


@pytest.mark.parametrize(
    ("exit_code", "events", "words"),
    [
        (1, [APPLY, TaskFinished("admin1", TASK, Outcome.FAILED)], "1 task failed on admin1"),
        (4, [APPLY, PASSED, BROKEN], "1 of 2 checks failed on gpu2"),
        (4, [], "the environment was made, but its verification failed"),
        (3, [GONE], "gpu2 dropped out"),
        (3, [], "stopped: a host could not be reached, or somebody else's run holds its lock"),
        (2, [], "the input is not valid; no host was touched"),
        (130, [], "interrupted; run the same command again and it goes on from here"),
        (70, [], "stopped by a bug in provision"),
        (1, [], "ended with exit code 1"),
    ],
)
def test_bad_news(exit_code: int, events: list, words: str) -> None:
    assert closing("apply", exit_code, *events) == Verdict(words, is_good=False)


@pytest.mark.parametrize(
    ("problem", "words"),
    [
        (BROKEN, "1 of 2 checks failed on gpu2"),
        (Proved("admin1", remaining=(TASK, TASK)), "2 tasks would still change something on admin1"),
        (GONE, "gpu2 dropped out"),
    ],
)
def test_an_exit_code_of_zero_cannot_talk_a_problem_away(problem, words: str) -> None:
    assert closing("apply", 0, APPLY, PASSED, problem) == Verdict(words, is_good=False)


def test_a_summary_cannot_talk_a_failed_check_away() -> None:
    assert not closing("apply", 0, APPLY, BROKEN, HostSummary("gpu2", {}, 1, 0)).is_good
