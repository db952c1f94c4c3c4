"""The corpus: `ansible-playbook` and `provision` do the same, and check says what apply does."""

from __future__ import annotations

import pytest
from tests.conformance.cases import Case, load
from tests.conformance.conftest import Tools
from tests.conformance.tools import PROJECT, Ran

CASES = load()
_DIFFERENCES = " ".join((PROJECT / "docs" / "differences.md").read_text().split())


def marked(case: Case) -> object:
    """The case as a parameter; one that is pending has to fail."""
    marks = [pytest.mark.xfail(strict=True, reason=case.pending)] if case.pending else []
    return pytest.param(case, id=case.id, marks=marks)


@pytest.mark.parametrize("case", [marked(case) for case in CASES])
def test_both_tools_do_the_same(case: Case, tools: Tools, record_property):
    with tools.prepared(case) as pair:
        for number in range(1, 3 if case.again and not case.differs else 2):
            before = pair.ours.tree()
            predicted = pair.check()
            assert pair.ours.tree() == before, f"check changed something\n{predicted.output}"
            theirs, ours = pair.ansible(), pair.apply()
            assert theirs.end != "refused" or case.refused, f"ansible refuses this case\n{theirs.output}"
            found = differences(theirs, ours)
            assert case.refused in ours.output
            if case.differs:
                assert found, "no difference any more: take `differs` away"
                return
            text = f"run {number}\n" + "\n".join(found)
            assert not found, f"{text}\n--- ansible\n{theirs.output}\n--- provision\n{ours.output}"
            told, wrong, unknown = agreement(predicted, ours)
            record_property("check", [told, len(wrong), unknown])
            if not case.unpredicted:
                assert not wrong, f"run {number}: check was wrong: {wrong}\n{predicted.output}"


@pytest.mark.parametrize("case", [case for case in CASES if case.differs], ids=lambda case: case.id)
def test_every_difference_is_documented(case: Case):
    assert case.differs in _DIFFERENCES


def differences(theirs: Ran, ours: Ran) -> list[str]:
    """What does not agree, in words."""
    found = []
    if theirs.end != ours.end:
        found.append(f"the run: ansible {theirs.end}, provision {ours.end}")
    for what in ("tasks", "recap", "tree"):
        left, right = getattr(theirs, what), getattr(ours, what)
        different = [key for key in sorted({*left, *right}) if left.get(key) != right.get(key)]
        found += [f"{what} {key}: ansible {left.get(key)!r}, provision {right.get(key)!r}" for key in different]
    if theirs.shown != ours.shown:
        found.append(f"shown: ansible {theirs.shown!r}, provision {ours.shown!r}")
    return found


def agreement(predicted: Ran, done: Ran) -> tuple[int, list[str], int]:
    """How many outcomes check foretold, where it was wrong, and of how many it said that nobody knows yet.

    That a program runs is foretold, what comes of it is not; nor what comes after a failure that nobody could foresee.
    """
    told, unknown, wrong = 0, 0, []
    for host, tasks in done.tasks.items():
        foretold: dict[str, list[tuple[str, ...]]] = {}
        for place, outcomes in predicted.tasks.get(host, []):
            foretold.setdefault(place, []).append(outcomes)
        surprised = False
        for place, outcomes in tasks:
            turns = foretold.get(place, [])  # a task that is included twice has its turn twice
            said = turns.pop(0) if len(turns) > 1 else turns[0] if turns else ("nothing",)
            for number, outcome in enumerate(outcomes):
                guess = said[number] if number < len(said) else said[-1] if said[-1] == "unknown" else "nothing"
                open_end = guess == "unknown" or (guess == "runs" and outcome not in {"changed", "skipped"})
                if guess == outcome or (guess == "runs" and outcome == "changed"):
                    told += 1
                elif open_end or surprised:
                    unknown += 1
                else:
                    wrong.append(f"{host} {place} item {number}: said {guess}, was {outcome}")
                surprised |= open_end and outcome == "failed"
    return told, wrong, unknown
