"""A job of `async` outlives whoever started it: a cut line, a killed controller, a Ctrl-C in `provision attach`."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "e2e"))  # whatever pytest's import mode
from newcomer import Ended, Newcomer, comes_true, ended, interrupt, text_of

PLAY = """\
- hosts: localhost
  gather_facts: false
  tasks:
    - name: long
      shell: echo x >>~/count; echo begun; while ! [ -e ~/go ]; do sleep 0.1; done; echo finished
      async: 60
      poll: 5
      register: job
    - debug: {msg: "{{ job.stdout_lines }}"}
"""

Site = tuple[Newcomer, Path]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """A folder with that play and an empty home; whatever happens, its job ends."""
    home = tmp_path / "home"
    home.mkdir()
    (tmp_path / "site.yaml").write_text(PLAY)
    (tmp_path / "hosts").write_text("localhost ansible_connection=local\n")
    yield Newcomer(home, tmp_path / "no-lab", tmp_path), home
    (home / "go").touch()


def begun(site: Site) -> subprocess.Popen[str]:
    """A run of the play that waits for its job."""
    person, home = site
    running = person.start("apply", "site.yaml", "-i", "hosts", "--json")
    assert comes_true(lambda: text_of(home / "count") == "x\n", 30), ended(running)
    return running


def listed(site: Site) -> list[str]:
    """The states of the jobs that there are."""
    done = site[0].run("attach", "--list", "--json", "-i", "hosts")
    return [json.loads(line)["state"] for line in done.stdout.splitlines()]


def joined(site: Site) -> Ended:
    """The next run, once the job may end."""
    person, home = site
    running = person.start("apply", "site.yaml", "-i", "hosts", "--json")
    (home / "go").touch()
    return ended(running)


def kill_the_controller(running: subprocess.Popen[str], _home: Path) -> None:
    interrupt(running, signal.SIGKILL)


def cut_the_line(running: subprocess.Popen[str], _home: Path) -> None:
    """Kill everything of the session at the far end of the line; a job is in a session of its own."""
    children = Path(f"/proc/{running.pid}/task").glob("*/children")
    (shell,) = [int(pid) for path in children for pid in path.read_text().split()]
    subprocess.run(["kill", "-KILL", "--", f"-{shell}"], check=True)


@pytest.mark.parametrize("lose", [kill_the_controller, cut_the_line])
def test_the_job_lives_and_the_next_apply_joins_it(
    site: Site, lose: Callable[[subprocess.Popen[str], Path], None]
) -> None:
    running = begun(site)
    lose(running, site[1])
    assert ended(running).code != 0
    assert listed(site) == ["running"]
    done = joined(site)
    assert done.code == 0, done.stdout + done.stderr
    assert "finished" in done.stdout
    assert (site[1] / "count").read_text() == "x\n"  # nothing was started twice
    assert listed(site) == ["done"]


def test_a_job_that_ends_while_nobody_is_there_is_told_to_the_next_apply(site: Site) -> None:
    running = begun(site)
    interrupt(running, signal.SIGKILL)
    ended(running)
    (site[1] / "go").touch()
    assert comes_true(lambda: listed(site) == ["done"], 20)
    done = joined(site)
    assert done.code == 0, done.stdout + done.stderr
    assert "finished" in done.stdout
    assert (site[1] / "count").read_text() == "x\n"


def test_attach_finds_what_a_killed_controller_has_left_and_ctrl_c_leaves_it_running(site: Site) -> None:
    running = begun(site)
    interrupt(running, signal.SIGKILL)
    ended(running)
    following = site[0].start("attach", "-i", "hosts")
    assert following.stdout
    assert following.stdout.readline() == "begun\n"
    interrupt(following)
    left = ended(following)
    assert left.code == 130
    assert "the job goes on" in left.stderr
    assert listed(site) == ["running"]
    following = site[0].start("attach", "-i", "hosts")
    assert following.stdout
    assert following.stdout.readline() == "begun\n"
    (site[1] / "go").touch()
    done = ended(following)
    assert (done.code, done.stdout) == (0, "finished\n")
