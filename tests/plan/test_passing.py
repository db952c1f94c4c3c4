"""What comes to nothing by the end of a play is not left to change; what does not, is."""

from __future__ import annotations

import pytest
from scupi_provision.events import Outcome, TaskLabel
from scupi_provision.host.record import StepRecord
from scupi_provision.plan.models import Step
from scupi_provision.plan.passing import passing
from scupi_provision.shell.entry import ABSENT, Entry, Kind

FOLDER = Entry(Kind.DIRECTORY, 0o755)
A, B = (Entry(Kind.FILE, 0o644, 1, digest * 64) for digest in "ab")
PRIVATE = Entry(Kind.FILE, 0o600, 1, "a" * 64)


def steps(*planned: dict[str, Entry]) -> list[Step]:
    made = []
    for number, entries in enumerate(planned):
        record = StepRecord("x")
        for path, entry in entries.items():
            record.plan(path, entry)
        made.append(Step(("tasks", number), TaskLabel("x", "file"), Outcome.WOULD_CHANGE, record=record))
    return made


@pytest.mark.parametrize(
    ("plan", "now", "left"),
    [
        ([{"/h/a": A}, {"/h/a": B}], {"/h/a": B}, []),
        ([{"/h/a": A}, {"/h/a": B}], {"/h/a": A}, [0, 1]),
        ([{"/h/a": PRIVATE}, {"/h/a": A}], {"/h/a": A}, []),
        ([{"/h/t": FOLDER}, {"/h/t/x": A}, {"/h/t": ABSENT}], {"/h/t": ABSENT, "/h": FOLDER}, []),
        ([{"/h/t": FOLDER}, {"/h/t/x": A}, {"/h/t": ABSENT}], {"/h/t": FOLDER, "/h/t/x": ABSENT}, [0, 2]),
        ([{"/h/t": ABSENT}, {"/h/t": FOLDER}], {"/h/t": FOLDER}, [0]),
        ([{"/h/a": A}], {}, [0]),
        ([{"/h/a": Entry(Kind.FILE, 0o644)}], {"/h/a": A}, [0]),
        ([{}], {}, [0]),
    ],
    ids=[
        "there and back",
        "there, and not back",
        "a mode there and back",
        "a folder for the time being",
        "a folder that was there",
        "what is removed and made anew has lost what was in it",
        "what nobody has looked at",
        "a content that nobody knows",
        "a program",
    ],
)
def test_steps_pass_when_everything_is_as_before(plan, now, left):
    made = steps(*plan)
    assert [step.key[1] for step in made if step.key not in passing(made, now)] == left
