"""What apply and check are told on the command line: options of their own, and answers to those of Ansible."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SITE = """\
- hosts: all
  gather_facts: false
  tasks:
    - {name: one, copy: {dest: "{{ there }}/one", content: x}}
    - {name: two, copy: {dest: "{{ there }}/two", content: x}}
"""


@pytest.fixture
def site(tmp_path: Path) -> Path:
    (tmp_path / "site.yml").write_text(SITE)
    (tmp_path / "there").mkdir()
    return tmp_path


def _run(site: Path, verb: str, what: str, *words: str) -> subprocess.CompletedProcess[str]:
    given = ["-e", f"there={site}/there"] if what == "site.yml" else []
    command = [sys.executable, "-m", "scupi_provision", verb, what, *given, *words]
    return subprocess.run(command, cwd=site, capture_output=True, text=True, check=False)


def test_a_list_of_hosts_and_a_connection_are_enough(site: Path) -> None:
    done = _run(site, "apply", "site.yml", "-i", "localhost,", "-c", "local", "--start-at-task", "two")
    assert (done.returncode, done.stderr) == (0, "")
    assert [path.name for path in (site / "there").iterdir()] == ["two"]


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        (["-C"], "`provision check` says exactly what apply would change"),
        (["-b"], "without root"),
        (["--become-user", "root"], "without root"),
        (["-K"], "without root"),
        (["-k"], "asked for at the terminal"),
        (["-T", "3"], "provision_login_timeout"),
        (["-M", "library"], "`provision doc` lists the modules"),
        (["--ssh-common-args", "-v"], "docs/inventory.md"),
        (["--step"], "--start-at-task"),
        (["--start-at-task", "tow"], "two"),
        (["-c", "docker"], "ssh (the default) and local are"),
        (["-f", "0"], "--forks"),
    ],
)
def test_what_ansible_has_is_answered_and_nothing_is_done(site: Path, words: list[str], answer: str) -> None:
    done = _run(site, "apply", "site.yml", "-i", "localhost,", "-c", "local", *words)
    assert done.returncode == 2
    assert answer in done.stderr
    assert "Traceback" not in done.stderr
    assert list((site / "there").iterdir()) == []


def test_nobody_has_said_how_to_log_in(site: Path) -> None:
    done = _run(site, "check", "site.yml", "-i", "somewhere.invalid,")
    assert done.returncode == 2
    assert done.stderr.count("as whom to log in to somewhere.invalid") == 1


def test_a_check_may_be_called_one(site: Path) -> None:
    done = _run(site, "check", "site.yml", "-i", "localhost,", "-c", "local", "-C", "--flush-cache", "-f", "2")
    assert (done.returncode, done.stderr) == (0, "")


def test_a_saved_plan_is_applied_as_it_was_made(site: Path) -> None:
    made = _run(
        site, "check", "site.yml", "-i", "localhost,", "-c", "local", "--start-at-task", "two", "--out", "plan.json"
    )
    assert (made.returncode, made.stderr) == (0, "")
    for words in (["-l", "localhost"], ["-t", "a"], ["-u", "me"], ["--force-handlers"], ["-e", "x=1"], ["--lab"]):
        refused = _run(site, "apply", "plan.json", *words)
        assert refused.returncode == 2
        assert "as it was made, without --" in refused.stderr
    done = _run(site, "apply", "plan.json", "--diff")
    assert (done.returncode, done.stderr) == (0, "")
    assert [path.name for path in (site / "there").iterdir()] == ["two"]
