"""The tutorial's other road, whole, on a fresh lab: Python and git compiled, a virtual environment, torch."""

from __future__ import annotations

import itertools
import json

import pytest
from newcomer import CHECKOUT, Newcomer, daemon
from processes import started_programs, unwanted
from scupi_provision.lab.commands import reset, status

pytestmark = [pytest.mark.lab, pytest.mark.slow, pytest.mark.timeout(1500)]

_BUILD_S = 1200.0
_QUICKER = ("-e", json.dumps({"python_environment": {"OPT": "-O0"}}))
"""Unoptimised, so that the test takes less long; everything else is as a person does it."""


@pytest.fixture(scope="module")
def person(tmp_path_factory):
    """Somebody with an empty home and a lab of their own."""
    place = tmp_path_factory.mktemp("source")
    (place / "home").mkdir()
    person = Newcomer(place / "home", place / "lab", CHECKOUT)
    assert person.run("lab", "up", patience_s=_BUILD_S).code == 0
    yield person
    reset(directory=person.lab_directory)


@pytest.fixture(scope="module")
def checked(person):
    return person.run("check", "source.yaml", "--lab", "--json", *_QUICKER)


@pytest.fixture(scope="module")
def applied(person, checked):
    return person.run("apply", "source.yaml", "--lab", "--json", *_QUICKER, patience_s=_BUILD_S)


@pytest.fixture(scope="module")
def again(person, applied):
    """A second apply, and what it has started on the hosts."""
    with started_programs(daemon(_lab(person))) as programs:
        result = person.run("apply", "source.yaml", "--lab", "--json", *_QUICKER)
    return result, programs


def _lab(person):
    return status(directory=person.lab_directory).lab


def test_what_check_lists_is_what_apply_does(checked, applied):
    assert applied.code == 0, applied.stderr or applied.stdout[-4000:]
    assert sorted(applied.changes()) == sorted(checked.changes())
    tasks = {(role, name.split()[0]) for _, role, name, _ in applied.changes()}
    assert {("python", "Build"), ("git", "Build"), ("python_venv", "Make"), ("torch", "Install")} <= tasks


def test_python_and_git_are_compiled_at_the_same_time(applied):
    """Neither needs the other, and both take minutes."""
    progress = [event for event in applied.of("TaskProgress") if event["phase"] == "make"]
    roles = [event["task"]["role"] for event in progress]
    assert {"git", "python"} <= set(roles)
    turns = sum(one != other for one, other in itertools.pairwise(roles))
    assert turns >= 3, "one was made after the other"


def test_all_is_proved_on_gpu2(applied):
    checks = applied.of("CheckFinished")
    assert {check["host"] for check in checks} == {"gpu2"}
    assert all(check["passed"] for check in checks)
    assert {check["task"]["role"] for check in checks} >= {"shell_env", "python", "python_venv", "git", "torch"}


@pytest.mark.parametrize("host", ["admin1", "gpu2"])
def test_new_shells_have_the_python_that_was_compiled_by_its_version(person, applied, host):
    """And `python3` is what it was: admin1's own, and none on gpu2."""
    series = ".".join(_lab(person).variables["python_version"].split(".")[:2])
    said = person.run(
        "lab",
        "ssh",
        host,
        "bash",
        "-lc",
        f"'python{series} -c \"import ssl, sys; print(sys.prefix)\"; command -v python3'",
    ).stdout.splitlines()
    assert said[0].startswith(f"{_lab(person).home}/.provision/store/python-")
    assert all("/.provision/" not in line for line in said[1:])
    assert len(said) == (2 if host == "admin1" else 1)


def test_the_environment_rests_on_that_python(person, applied):
    link = _lab(person).home / "envs/torch/bin/python"
    assert str(link.resolve()).startswith(f"{_lab(person).home}/.provision/store/python-")


def test_a_second_apply_changes_nothing_and_starts_no_python_pip_git_or_make(again):
    result, programs = again
    assert (result.code, result.changes()) == (0, [])
    assert [(proof["host"], proof["remaining"]) for proof in result.of("Proved")] == [("admin1", [])]
    assert programs["bash"] >= 2, "a login shell on each node must have been seen, or nothing was counted"
    assert not any(unwanted(programs).values()), programs
