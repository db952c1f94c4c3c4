"""A person with a web shell alone: the whole environment by a script, proved on gpu2, and the same as by an apply."""

from __future__ import annotations

import subprocess

import pytest
from newcomer import CHECKOUT, Newcomer
from scupi_provision.lab.commands import reset, ssh_command, status

pytestmark = [pytest.mark.lab, pytest.mark.slow, pytest.mark.timeout(900)]

_BUILD_S = 600.0


@pytest.fixture(scope="module")
def person(tmp_path_factory):
    place = tmp_path_factory.mktemp("compiled")
    (place / "home").mkdir()
    person = Newcomer(place / "home", place / "lab", CHECKOUT)
    assert person.run("lab", "up", patience_s=_BUILD_S).code == 0
    yield person
    reset(directory=place / "lab")


def on(person, host, command, script=""):
    """What a shell on that host prints, and how it ends; nobody's provision or python is there."""
    command = [*ssh_command(status(directory=person.lab_directory).lab, host), command]
    done = subprocess.run(command, input=script, capture_output=True, text=True, timeout=_BUILD_S, check=False)
    return done.returncode, done.stdout + done.stderr


@pytest.fixture(scope="module")
def looked(person, tmp_path_factory):
    """The look of somebody who was on both nodes: from the lab's admin1 no ssh leads to gpu2."""
    place = tmp_path_factory.mktemp("look")
    made = person.run("compile", "site.yaml", "--lab", "--look-script", "--out", place / "look.sh")
    assert made.code == 0, made.stderr
    script = (place / "look.sh").read_text()
    (code, here), (other_code, there) = on(person, "admin1", "sh -s", script), on(person, "gpu2", "sh -s gpu2", script)
    assert (code, other_code) == (0, 0), here + there
    assert "gpu2 could not be asked from here" in here
    (place / "look.txt").write_text(here + there)
    return place / "look.txt"


@pytest.fixture(scope="module")
def script(person, looked):
    out = looked.parent / "site.sh"
    made = person.run("compile", "site.yaml", "--lab", "--look", looked, "--out", out)
    assert made.code == 0, made.stderr
    assert "torch : torch is built for" in made.stdout  # what a shell cannot judge is named
    return out.read_text()


@pytest.fixture(scope="module")
def ran(person, script):
    return on(person, "admin1", "cat >site.sh && sh site.sh", script)


def test_the_whole_environment_is_made_by_sh_alone(ran) -> None:
    code, output = ran
    assert code == 3, output  # made, and not proved: gpu2 is not reached from there
    assert "FAILED" not in output
    assert "changed  torch : Install torch" in output
    assert "sh site.sh verify" in output


def test_it_is_proved_on_the_gpu_node(person, ran) -> None:
    code, output = on(person, "gpu2", "sh site.sh verify")
    assert code == 0, output
    assert "passed   torch : the probe ends in time and without a problem" in output
    assert "proved on gpu2" in output


def test_a_second_run_changes_nothing(person, ran) -> None:
    _, output = on(person, "admin1", "sh site.sh")
    assert "done: 0 changed" in output, output


def test_an_apply_over_ssh_finds_nothing_to_do(person, ran) -> None:
    checked = person.run("check", "site.yaml", "--lab", "--json")
    assert (checked.code, checked.changes()) == (0, []), checked.stderr
