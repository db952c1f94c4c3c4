"""Jobs of `async` go on without us; `provision attach` lists them and follows one to its end. Real local runs."""

import json
import os
import subprocess
import sys

import pytest

INVENTORY = "localhost ansible_connection=local\n"
PLAY = """\
- hosts: localhost
  gather_facts: false
  tasks:
    - name: count
      shell: {command}
      async: {limit}
      poll: 0
"""


@pytest.fixture
def provision(tmp_path):
    """Runs a command of ours in a home and a site of its own."""
    home = tmp_path / "home"
    home.mkdir()
    (tmp_path / "hosts").write_text(INVENTORY)

    def run(*words):
        command = [sys.executable, "-m", "scupi_provision", *words, "-i", "hosts"]
        environment = {**os.environ, "HOME": str(home)}
        return subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60, check=False
        )

    def start(command, limit=60):
        (tmp_path / "site.yaml").write_text(PLAY.format(command=command, limit=limit))
        done = run("apply", "site.yaml")
        assert done.returncode == 0, done.stderr
        return run

    return start


def test_a_job_is_followed_to_its_end_and_its_status_is_ours(provision):
    run = provision("for i in 1 2 3; do echo line $i; echo noise $i >&2; sleep 0.5; done; exit 5")
    done = run("attach")
    assert done.returncode == 5
    assert done.stdout == "line 1\nline 2\nline 3\n"
    assert "noise 3" in done.stderr
    assert "ended with status 5" in done.stderr


def test_jobs_are_listed_for_other_programs(provision):
    run = provision("true")
    assert run("attach", "--list").returncode == 0
    (job,) = map(json.loads, run("attach", "--list", "--json").stdout.splitlines())
    assert (job["title"], job["host"]) == ("count", "localhost")


def test_a_job_ends_when_its_time_is_over_although_nobody_watches(provision):
    run = provision("echo begun; sleep 50", limit=1)
    (job,) = map(json.loads, run("attach", "--list", "--json").stdout.splitlines())
    done = run("attach", job["job"])
    assert done.returncode == 124
    assert "its time was over" in done.stderr


def test_there_is_nothing_to_follow_where_no_job_is(provision):
    run = provision("true")
    done = run("attach", "nosuchjob")
    assert done.returncode == 2
    assert "there is no job nosuchjob" in done.stderr
