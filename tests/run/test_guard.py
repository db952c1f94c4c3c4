"""Plays that would lock their account out: taken back and explained; the others stay. On this machine as the host."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from scupi_provision.errors import InputError
from scupi_provision.events import Notice, Outcome, RunFinished, TaskFinished
from scupi_provision.run.apply import apply
from scupi_provision.run.check import check
from scupi_provision.run.request import RunRequest
from scupi_provision.run.rollback import rollback
from scupi_provision.run.site import load_site

_LOGIN_S, _GUARD_S = 2, 30
INVENTORY = f"""
all:
  vars:
    ansible_connection: local
    ansible_user: me
    provision_login_timeout: {_LOGIN_S}
    provision_guard_seconds: {_GUARD_S}
  hosts: {{one: }}
"""
READS_OURS = "[ ! -r ~/.provision/current/env.sh ] || . ~/.provision/current/env.sh\n"
RC = b"# my own \xff lines\nmine=1\n"

pytestmark = pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")


@pytest.fixture
def rc(account: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """~/.bashrc of the account, whose shell is bash."""
    monkeypatch.setenv("SHELL", "/bin/bash")
    path = account / ".bashrc"
    path.write_bytes(RC)
    path.chmod(0o640)
    return path


def request(account: Path, tasks: str, **settings):
    (account.parent / "inventory.yaml").write_text(INVENTORY)
    playbook = account.parent / "play.yaml"
    playbook.write_text(f"- hosts: one\n  tasks:\n{tasks}")
    return RunRequest(playbook, account.parent / "inventory.yaml", **settings)


def run(account: Path, tasks: str, verb=apply, **settings):
    return list(verb(load_site(request(account, tasks, **settings))))


def outcomes(found):
    return {event.task.name: event.outcome for event in found if isinstance(event, TaskFinished)}


def the_problem(found) -> str:
    (failed,) = [event for event in found if isinstance(event, TaskFinished) and event.outcome is Outcome.FAILED]
    assert failed.task.name == "log in anew"
    assert "~/.bashrc" in failed.error.summary
    assert failed.error.hint
    assert next(event for event in found if isinstance(event, RunFinished)).exit_code == 1
    return failed.message


def notices(found) -> list[str]:
    return [event.text for event in found if isinstance(event, Notice)]


def adding(line: str) -> str:
    return f"    - {{name: the line, lineinfile: {{path: ~/.bashrc, line: '{line}'}}}}\n"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("exit", "ends before it runs a command"),
        ("exec sleep 60", "does not come to run a command within 2 s"),
        ("while :; do :; done", "does not come to run a command within 2 s"),
        ("echo hello", "print something, which breaks scp and rsync: 'hello'"),
        ("export PATH=", "no longer finds `sh` and `ls`"),
        ("if then (", "syntax error near unexpected token"),
        ("case $- in *i*) exit ;; esac", "the shell that a person gets"),
    ],
)
def test_a_line_that_spoils_every_login_is_taken_back_and_explained(account: Path, rc: Path, line: str, said: str):
    """Byte for byte, with its mode, within the time that a login may take; and it is still to do afterwards."""
    (account / ".bash_profile").write_text(". ~/.bashrc\n")
    started = time.monotonic()
    found = run(account, adding(line))
    assert said in the_problem(found)
    assert (rc.read_bytes(), rc.stat().st_mode & 0o7777) == (RC, 0o640)
    assert time.monotonic() - started < 3 * _LOGIN_S + 8
    assert not (account / ".provision/guard").exists()
    assert outcomes(run(account, adding(line), check)) == {"the line": Outcome.WOULD_CHANGE}


@pytest.mark.parametrize(
    "task",
    [
        "copy: {dest: ~/.bashrc, content: exit}",
        "blockinfile: {path: ~/.bashrc, block: exit 1}",
        "template: {src: nasty.j2, dest: ~/.bashrc}",
        "file: {path: ~/.bashrc, src: nasty, state: link, force: true}",
        "shell: echo exit >>~/.bashrc",
    ],
)
def test_whatever_the_task_is(account: Path, rc: Path, task: str):
    (account / "nasty").write_text("exit\n")
    (account.parent / "nasty.j2").write_text("exit {{ 1 + 1 }}\n")
    found = run(account, f"    - {task}\n")
    assert "ends before it runs a command" in the_problem(found)
    assert (rc.read_bytes(), rc.stat().st_mode & 0o7777) == (RC, 0o640)
    assert not rc.is_symlink()


def test_a_good_change_stays_and_is_not_looked_at_again(account: Path, rc: Path):
    found = run(account, adding("alias x=y"))
    assert outcomes(found) == {"the line": Outcome.CHANGED}
    assert notices(found) == ["a fresh login still works on one after this change"]
    assert rc.read_bytes() == RC + b"alias x=y\n"
    assert not (account / ".provision/guard").exists()
    again = run(account, adding("alias x=y"))
    assert outcomes(again) == {"the line": Outcome.OK}
    assert notices(again) == []


def test_nothing_is_kept_and_nobody_logs_in_for_other_files(account: Path, rc: Path):
    found = run(account, "    - copy: {dest: ~/x, content: x}\n")
    assert notices(found) == []
    assert not (account / ".provision/guard").exists()


def test_a_generation_that_spoils_every_login_is_not_made_current(account: Path, rc: Path):
    """What new shells read is switched like everything else, and switched back."""
    rc.write_text(READS_OURS)
    first = "    - path_entry: {name: mine, path: ~/bin}\n"
    nasty = first + "    - shell_init: {name: nasty, script: echo hello}\n"
    assert Outcome.FAILED not in outcomes(run(account, first)).values()
    current = account / ".provision/current"
    assert current.readlink() == Path("gen/1")
    found = run(account, nasty)
    (failed,) = [event for event in found if isinstance(event, TaskFinished) and event.outcome is Outcome.FAILED]
    assert "~/.provision/current" in failed.error.summary
    assert current.readlink() == Path("gen/1")
    to_do = outcomes(run(account, nasty, check))
    assert Outcome.WOULD_CHANGE in to_do.values()


def test_a_rollback_is_guarded_too(account: Path, rc: Path):
    rc.write_text(READS_OURS)
    for version in ("1", "2"):
        run(account, f"    - path_entry: {{name: mine, path: ~/bin{version}}}\n")
    (account / ".provision/gen/1/env.sh").write_text("exit\n")
    found = list(rollback(request(account, "")))
    assert outcomes(found) == {"log in anew": Outcome.FAILED}
    assert found[-1].exit_code == 1
    assert (account / ".provision/current").readlink() == Path("gen/2")
    (account / ".provision/gen/1/env.sh").write_text("")
    assert list(rollback(request(account, "")))[-1].exit_code == 0
    assert (account / ".provision/current").readlink() == Path("gen/1")


def test_noise_that_was_there_before_is_not_blamed_on_the_change(account: Path, rc: Path):
    """And costs nothing: the run's own login had heard it."""
    rc.write_text("echo welcome at $RANDOM\n")
    found = run(account, adding("alias x=y"))
    assert outcomes(found) == {"the line": Outcome.CHANGED}
    assert rc.read_text() == "echo welcome at $RANDOM\nalias x=y\n"


def test_a_login_that_was_as_bad_before_does_not_cost_the_change(account: Path, rc: Path):
    """It is put back, tried, and put in again, which is said."""
    profile = account / ".bash_profile"
    profile.write_text("export PATH=/nowhere\n")
    found = run(account, adding("alias x=y"))
    assert outcomes(found) == {"the line": Outcome.CHANGED}
    (text,) = [text for text in notices(found) if "with the change and without it" in text]
    assert "a login shell" in text
    assert rc.read_bytes() == RC + b"alias x=y\n"
    assert rc.stat().st_mode & 0o7777 == 0o640
    assert not (account / ".provision/guard").exists()


def test_more_noise_than_before_is_blamed(account: Path, rc: Path):
    rc.write_text("echo welcome\n")
    assert "hello" in the_problem(run(account, adding("echo hello")))
    assert rc.read_text() == "echo welcome\n"


def test_the_guard_can_be_turned_off_which_is_said(account: Path, rc: Path):
    found = run(account, adding("echo hello"), extra={"provision_guard_seconds": 0})
    assert outcomes(found) == {"the line": Outcome.CHANGED}
    assert ["guard is off" in text for text in notices(found)] == [True]
    assert rc.read_bytes() == RC + b"echo hello\n"


def test_nonsense_in_its_setting_is_refused_before_anything_is_touched(account: Path, rc: Path):
    with pytest.raises(InputError, match="provision_guard_seconds"):
        run(account, adding("exit"), extra={"provision_guard_seconds": "soon"})


def test_what_comes_after_a_change_that_was_taken_back_is_not_done(account: Path, rc: Path):
    """The stream is one; what came with it stands, the play goes no further, and says so by failing."""
    tasks = (
        adding("exit")
        + "    - {name: ask, command: echo x, register: said}\n"
        + "    - {name: later, copy: {dest: ~/x, content: '{{ said.stdout }}'}}\n"
    )
    found = run(account, tasks)
    assert "later" not in outcomes(found)
    assert not (account / "x").exists()


def test_a_controller_that_is_killed_after_the_change_is_stood_in_for(account: Path, rc: Path):
    """SIGKILL right after the change: the host takes it back, and the next run says so."""
    site = request(account, adding("exit") + "    - {name: long, command: sleep 600}\n")
    command = [sys.executable, "-m", "scupi_provision", "apply", str(site.playbook), "-i", str(site.inventory)]
    killed = subprocess.Popen(
        [*command, "-e", "provision_guard_seconds=2"],
        env={**os.environ, "HOME": str(account)},
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    deadline = time.monotonic() + 30
    while rc.read_bytes() == RC:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    os.kill(killed.pid, signal.SIGKILL)
    killed.wait()
    deadline = time.monotonic() + 20
    while rc.read_bytes() != RC:
        assert time.monotonic() < deadline, "nobody has put it back"
        time.sleep(0.05)
    assert rc.stat().st_mode & 0o7777 == 0o640
    while not any((account / ".provision/guard").glob("*/note")):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    looked = run(account, adding("alias x=y"), check)
    assert [re.sub(r".*: ", "", text) for text in notices(looked)] == ["~/.bashrc taken back"]
    done = run(account, adding("alias x=y"))
    assert next(re.sub(r".*: ", "", text) for text in notices(done)) == "~/.bashrc taken back"
    assert not (account / ".provision/guard").exists()
    assert rc.read_bytes() == RC + b"alias x=y\n"
