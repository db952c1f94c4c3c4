"""The main job, whole, on fresh labs: git is compiled and conda and torch installed on admin1, all proved on gpu2."""

from __future__ import annotations

import signal

import pytest
from newcomer import CHECKOUT, Newcomer, daemon, ended, interrupt, lines_until, never, text_of, tree
from processes import CannotTraceError, started_programs, unwanted
from scupi_provision.lab.commands import reset, status

pytestmark = [pytest.mark.lab, pytest.mark.slow, pytest.mark.timeout(900)]

_BUILD_S = 600.0
_TRACED_S = 240.0
"""For a run of which every program is traced."""


@pytest.fixture(scope="module")
def newcomer(tmp_path_factory):
    """`newcomer(name)`: somebody with an empty home and no lab yet."""
    labs = []

    def arrive(name):
        place = tmp_path_factory.mktemp(name)
        labs.append(place / "lab")
        (place / "home").mkdir()
        return Newcomer(place / "home", place / "lab", CHECKOUT)

    yield arrive
    for directory in labs:
        reset(directory=directory)


def _lab(person):
    return status(directory=person.lab_directory).lab


# --- one lab: check, apply, apply again ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def person(newcomer):
    return newcomer("whole")


@pytest.fixture(scope="module")
def checked(person):
    """The first command of all, and the home before and after it."""
    assert person.run("lab", "up", patience_s=_BUILD_S).code == 0
    before = tree(_lab(person).home)
    result = person.run("check", "site.yaml", "--lab", "--diff", "--json")
    return result, before, tree(_lab(person).home)


@pytest.fixture(scope="module")
def applied(person, checked):
    return person.run("apply", "site.yaml", "--lab", "--json", patience_s=_BUILD_S)


@pytest.fixture(scope="module")
def again(person, applied):
    """A second apply, and what it has started on the hosts."""
    try:
        with started_programs(daemon(_lab(person))) as programs:
            result = person.run("apply", "site.yaml", "--lab", "--json", patience_s=_TRACED_S)
    except CannotTraceError as error:
        pytest.skip(str(error))
    return result, programs


def test_check_writes_nothing(checked):
    result, before, after = checked
    assert result.code == 0, result.stderr
    assert after == before


def test_what_check_lists_is_what_apply_reports_as_changed(checked, applied):
    assert applied.code == 0, applied.stderr
    listed, changed = checked[0].changes(), applied.changes()
    assert sorted(changed) == sorted(listed)  # the order of reports is that in which steps end: long programs overlap
    assert changed[-1] == listed[-1], "the switch of the generation comes last"
    assert {role for _, role, _, _ in applied.changes()} == {"shell_env", "git", "conda", "conda_env", "torch", ""}


def test_all_is_proved_on_gpu2(applied):
    checks = applied.of("CheckFinished")
    assert {check["host"] for check in checks} == {"gpu2"}
    assert all(check["passed"] and check["expected"] and check["seen"] for check in checks)
    assert len(checks) >= 20
    names = [check["task"]["name"] for check in checks]
    for claim in ("git --version", "conda activate torch gives its python", "torch multiplies"):
        assert any(claim in name for name in names), claim
    assert [(proof["host"], proof["remaining"]) for proof in applied.of("Proved")] == [("admin1", [])]


def test_the_output_says_what_is_not_the_real_thing(applied):
    stand_ins = " ".join(applied.of("RunStarted")[0]["stand_ins"])
    for word in ("two SSH servers", "git", "torch", "CPython", "program conda", "GPU"):
        assert word in stand_ins


@pytest.mark.parametrize("host", ["admin1", "gpu2"])
def test_a_fresh_login_shell_has_the_git_that_was_built(person, applied, host):
    version = _lab(person).variables["git_version"]
    said = person.run("lab", "ssh", host, "bash", "-lc", "'git --version; command -v git'").stdout
    assert said.startswith(f"git version {version}\n{_lab(person).home}/.provision/store/git-{version}-")


@pytest.mark.parametrize("host", ["admin1", "gpu2"])
def test_a_fresh_login_shell_activates_the_environment(person, applied, host):
    home = _lab(person).home
    said = person.run("lab", "ssh", host, "bash", "-lc", "'conda activate torch && command -v python && python -V'")
    series = _lab(person).variables["conda_env_python"]
    assert said.stdout.startswith(f"{home}/miniforge3/envs/torch/bin/python\nPython {series}."), said.stderr


def test_git_was_compiled_while_conda_was_at_work(applied):
    """Long programs that have nothing to do with each other overlap: conda is ready before git, which began first."""
    ended = [event["task"]["name"] for event in applied.of("TaskFinished") if event["outcome"] == "changed"]
    git, conda = (
        next(i for i, name in enumerate(ended) if name.startswith(words))
        for words in ("Build git", "Install miniforge")
    )
    assert conda < git


def test_a_second_apply_changes_nothing_and_is_proved(again):
    result, _ = again
    assert result.code == 0
    assert result.changes() == []
    assert [(proof["host"], proof["remaining"]) for proof in result.of("Proved")] == [("admin1", [])]
    assert [(proof["host"], proof["checks"] >= 20) for proof in result.of("Verified")] == [("gpu2", True)]


def test_a_second_apply_starts_no_python_conda_pip_git_or_make(again):
    _, programs = again
    assert programs["bash"] >= 2, "a login shell on each node must have been seen, or nothing was counted"
    assert not any(unwanted(programs).values()), programs


# --- another lab: the controller is killed while git is being built -------------------------------------------------

_ONLY_GIT = """\
- name: git
  hosts: admin1
  verify: gpu2
  roles: [shell_env, git]
"""


class _Account:
    """What can be seen of a build in the home."""

    def __init__(self, home):
        self._root = home / ".provision"

    @property
    def whole_trees(self):
        return list(self._root.glob("store/git-*/.ok"))

    @property
    def is_in_use(self):
        """Whether new shells find a git of ours."""
        return "/store/git-" in text_of(self._root / "current/env.sh")

    def is_half_made(self):
        # In this order: a tree is whole before anything uses it.
        return self.is_in_use and not self.whole_trees

    @property
    def builder(self):
        """The process that builds."""
        (pid,) = self._root.glob("jobs/*/pid")
        return pid.read_text()


def _is_making(event):
    return event["event"] == "TaskProgress" and event["phase"] == "make"


@pytest.fixture(scope="module")
def killed(newcomer, tmp_path_factory):
    """Somebody whose controller was killed in the middle of `make`, and the playbook."""
    person = newcomer("killed")
    playbook = tmp_path_factory.mktemp("playbook") / "git.yaml"
    playbook.write_text(_ONLY_GIT)
    running = person.start("apply", playbook, "--lab", "--json")
    lines_until(running, _is_making)
    interrupt(running, signal.SIGKILL)
    assert ended(running).code == -signal.SIGKILL
    return person, playbook


def test_a_killed_controller_leaves_nothing_half_made_and_its_build_is_joined(killed):
    person, playbook = killed
    account = _Account(_lab(person).home)
    builder = account.builder
    assert not account.whole_trees
    assert not account.is_in_use
    for host in ("admin1", "gpu2"):
        said = person.run("lab", "ssh", host, "bash", "-lc", "'command -v git || echo none'").stdout
        assert said.strip()
        assert ".provision" not in said

    with never(account.is_half_made):
        joining = person.start("apply", playbook, "--lab", "--json")
        before = lines_until(joining, _is_making)
        assert account.builder == builder
        finished = ended(joining, _BUILD_S)
    assert finished.code == 0, finished.stderr
    events = [*before, *finished.events]
    assert any("joined" in event["text"] for event in events if event["event"] == "Notice")
    assert sum(event["event"] == "CheckFinished" and event["passed"] for event in events) >= 10
    assert account.builder == builder
    assert len(account.whole_trees) == 1
    assert account.is_in_use
    assert person.run("apply", playbook, "--lab", "--json").changes() == []
