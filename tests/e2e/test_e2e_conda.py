"""The life of a conda environment in the lab, with real packages: made, changed, locked, exact, killed."""

from __future__ import annotations

import os
import signal
import subprocess
import textwrap

import pytest
from newcomer import Newcomer, comes_true
from scupi_provision.lab.commands import reset, status

pytestmark = [pytest.mark.lab, pytest.mark.slow, pytest.mark.timeout(600)]

_BUILD_S = 600.0
_ENVIRONMENT = """
- hosts: admin1
  verify: gpu2
  roles: [shell_env, conda]
  tasks:
    - conda_env:
        path: ~/miniforge3/envs/work
        channel_urls: "{{ sources_conda }}"
"""


@pytest.fixture(scope="module")
def person(tmp_path_factory):
    place = tmp_path_factory.mktemp("conda")
    for name in ("home", "site"):
        (place / name).mkdir()
    person = Newcomer(place / "home", place / "lab", place / "site")
    assert person.run("lab", "up", patience_s=_BUILD_S).code == 0
    yield person
    reset(directory=person.lab_directory)


@pytest.fixture
def home(person):
    """An empty home."""
    assert person.run("lab", "reset").code == 0
    assert person.run("lab", "up").code == 0
    return status(directory=person.lab_directory).lab.home


@pytest.fixture
def apply(person):
    """`apply("python: …")`: the environment with these arguments; the events of the run."""

    def run(arguments, *more, code=0):
        text = _ENVIRONMENT + textwrap.indent(textwrap.dedent(arguments).strip("\n"), " " * 8) + "\n"
        (person.place / "site.yaml").write_text(text)
        ended = person.run("apply", "site.yaml", "--lab", "--json", *more, patience_s=_BUILD_S)
        assert ended.code == code, ended.stdout[-4000:] + ended.stderr
        return ended

    return run


def packages(home, name="work"):
    """Names of the packages in an environment."""
    records = (home / "miniforge3/envs" / name / "conda-meta").glob("*.json")
    return {record.name.rsplit("-", 2)[0] for record in records}


def conda(home, *arguments):
    """What a person types."""
    environment = {"HOME": str(home), "PATH": "/usr/bin:/bin"}
    program = home / "miniforge3/bin/conda"
    done = subprocess.run([program, *arguments], env=environment, capture_output=True, text=True, check=True)
    return done.stdout


def channel(person):
    return status(directory=person.lab_directory).lab.variables["sources_conda"][0] + "/conda-forge"


def test_what_was_added_by_hand_stays_and_what_is_missing_comes(person, home, apply):
    apply("python: '3.11'\npackages: [numpy]")
    prefix = (home / "miniforge3/envs/work").resolve()
    conda(
        home,
        "install",
        "-y",
        "-q",
        "-p",
        home / "miniforge3/envs/work",
        "--override-channels",
        "-c",
        channel(person),
        "wheel",
    )
    again = apply("python: '3.11'\npackages: [numpy<2.4, setuptools]")
    assert [name for *_, name, _ in again.changes()] == ["conda_env"]
    assert packages(home) >= {"python", "numpy", "setuptools", "wheel"}
    assert (home / "miniforge3/envs/work").resolve() == prefix


def test_exact_removes_what_was_added_by_hand(person, home, apply):
    asked = "python: '3.11'\npackages: [numpy]\nexact: true"
    apply(asked)
    conda(
        home,
        "install",
        "-y",
        "-q",
        "-p",
        home / "miniforge3/envs/work",
        "--override-channels",
        "-c",
        channel(person),
        "wheel",
    )
    apply(asked)
    assert packages(home) == {"python", "numpy"}
    assert apply(asked).changes() == []


def test_a_lock_makes_the_same_environment_again(person, home, apply):
    apply("python: '3.11'\npackages: [numpy<2.4, pip]")
    lock = conda(home, "list", "-p", home / "miniforge3/envs/work", "--explicit", "--sha256")
    (person.place / "lock.txt").write_text(lock)
    first = sorted(path.name for path in (home / "miniforge3/envs/work/conda-meta").glob("*.json"))
    conda(
        home,
        "install",
        "-y",
        "-q",
        "-p",
        home / "miniforge3/envs/work",
        "--override-channels",
        "-c",
        channel(person),
        "numpy>=2.4",
    )
    apply("lock: lock.txt")
    assert sorted(path.name for path in (home / "miniforge3/envs/work/conda-meta").glob("*.json")) == first


def test_an_environment_of_the_users_is_used_in_place(person, home, apply):
    apply("state: absent\npython: '3.11'")
    conda(
        home,
        "create",
        "-y",
        "-q",
        "-p",
        home / "miniforge3/envs/work",
        "--override-channels",
        "-c",
        channel(person),
        "python",
        "pip",
    )
    apply("python: '3.11'\npackages: [numpy]")
    assert packages(home) >= {"pip", "numpy"}
    assert not (home / "miniforge3/envs/work").is_symlink()


@pytest.mark.parametrize("job", ["conda-????????", "conda-env-*"], ids=["conda", "the environment"])
def test_killed_in_the_middle_the_next_apply_finishes_the_work(person, home, apply, job):
    """kill -9 of everything that the job has started."""
    (person.place / "site.yaml").write_text(f"{_ENVIRONMENT}        python: '3.11'\n")
    process = person.start("apply", "site.yaml", "--lab", "--json")
    jobs = home / ".provision/jobs"
    assert comes_true(lambda: any(path.read_text() for path in jobs.glob(f"{job}/pid")), 60)
    (pid,) = (int(path.read_text().split()[0]) for path in jobs.glob(f"{job}/pid"))
    os.killpg(pid, signal.SIGKILL)
    process.communicate(timeout=60)
    assert process.returncode == 1
    apply("python: '3.11'")
    assert (home / "miniforge3/envs/work/bin/python").exists()
    assert apply("python: '3.11'").changes() == []
