"""Changes that would lock the account out of real nodes: taken back, also when nobody is there any more to say so."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import time

import pytest

_PATIENCE_S = 40.0


@pytest.fixture(scope="module")
def lab(start):
    """A lab of these tests' own: they try to lose the way into it."""
    return start()


@pytest.fixture(scope="module")
def closed(start):
    """A lab whose login node forwards nothing."""
    return start(forwarding=False)


@pytest.fixture
def account(lab):
    """The home as it is before, with start-up files of its own."""
    (lab.home / ".bashrc").write_bytes(b"# mine \xff\nalias x=y\n")
    (lab.home / ".bash_profile").write_text(". ~/.bashrc\n")
    for name in (".bashrc", ".bash_profile"):
        os.chown(lab.home / name, lab.home.stat().st_uid, lab.home.stat().st_gid)
        (lab.home / name).chmod(0o640)
    return lab.home


def play(*tasks):
    """On admin1, proved on gpu2."""
    listed = "".join(f"    - {task}\n" for task in tasks)
    return f"- hosts: admin1\n  verify: gpu2\n  tasks:\n{listed}  verify_tasks:\n    - ping:\n"


def logins(home):
    """All that decides about logins: bytes and modes."""
    paths = [home, *(home / name for name in (".bashrc", ".bash_profile")), *sorted((home / ".ssh").rglob("*"))]
    return {
        str(path.relative_to(home)): (stat.S_IMODE(path.stat().st_mode), path.read_bytes() if path.is_file() else None)
        for path in paths
    }


@pytest.fixture
def applied(lab, provision):
    """`applied(task)`: an apply of one task, with little patience for logins."""
    return lambda task: provision(lab, "apply", play(task), "-e", "provision_login_timeout=3")


def adding(line):
    return f"lineinfile: {{path: ~/.bashrc, line: '{line}'}}"


@pytest.mark.parametrize(
    ("task", "said_of_it"),
    [
        (adding("while :; do :; done"), "does not come to run a command within 3 s"),
        (adding("export PATH="), "no longer finds `sh` and `ls`"),
        (adding("case $(uname -n) in gpu2) exit ;; esac"), "on gpu2 ends before"),
        ("copy: {dest: ~/.ssh/authorized_keys, content: ''}", "does not let user"),
        ("file: {path: ~/.ssh/authorized_keys, state: absent}", "does not let user"),
        ("file: {path: ~/.ssh, state: absent}", "does not let user"),
        ("file: {path: ~/.ssh, mode: '0777'}", "does not let user"),
        ("file: {path: '~', mode: '0777'}", "does not let user"),
        ("copy: {dest: ~/.ssh/rc, content: echo hello}", "hello"),
        ("shell: echo exit >>~/.bashrc", "ends before"),
    ],
)
def test_a_change_that_locks_out_is_taken_back(lab, account, applied, task, said_of_it, said):
    before = logins(account)
    run = applied(task)
    assert run.code == 1, run.stdout[-2000:] + run.stderr
    (failed,) = [event for event in run.of("TaskFinished") if event["outcome"] == "failed"]
    assert failed["task"]["name"] == "log in anew"
    assert said_of_it in failed["message"]
    assert "taken back" in failed["error"]["summary"]
    assert logins(account) == before
    assert not (account / ".provision/guard").exists()
    assert said(lab, "gpu2", "echo in") == "in\n"
    for node in ("admin1", "gpu2"):
        stuck = said(
            lab, node, "cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' '\\n' | grep '^echo provision-'", check=False
        )
        assert stuck == "", f"a shell was left running on {node}"


def test_a_good_change_stays_and_is_not_looked_at_again(account, applied):
    first = applied(adding("alias a=b"))
    assert first.code == 0, first.stdout[-2000:] + first.stderr
    told = [event["text"] for event in first.of("Notice")]
    assert told == ["a fresh login still works on admin1 and gpu2 after this change"]
    again = applied(adding("alias a=b"))
    assert again.code == 0
    assert not again.changes()
    assert not again.of("Notice")


@pytest.mark.parametrize("task", [adding("exec sleep 600"), "copy: {dest: ~/.ssh/authorized_keys, content: ''}"])
def test_a_killed_controller_is_stood_in_for_by_the_host(lab, account, tmp_path, task, said):
    """The change is made, and before anybody has looked at it the controller is gone."""
    before = logins(account)
    playbook = tmp_path / "site.yaml"
    playbook.write_text(play(task, "command: sleep 600"))
    command = [sys.executable, "-m", "scupi_provision", "apply", playbook, "-i", lab.inventory]
    command += ["-e", "provision_guard_seconds=3"]
    killed = subprocess.Popen(command, stdout=subprocess.DEVNULL, start_new_session=True)
    _wait_for(lambda: logins(account) != before)
    os.kill(killed.pid, signal.SIGKILL)
    killed.wait()
    _wait_for(lambda: logins(account) == before)
    assert said(lab, "gpu2", "echo in") == "in\n"


@pytest.mark.parametrize(
    ("line", "code"), [("alias a=b", 0), ("case $(uname -n) in gpu2) exit ;; esac", 1), ("echo hello", 1)]
)
def test_where_the_login_node_forwards_nothing_it_is_the_same(closed, provision, line, code):
    """gpu2 is reached by ssh on admin1, and so is its fresh login."""
    run = provision(closed, "apply", play(adding(line)), "-e", "provision_login_timeout=5")
    assert run.code == code, run.stdout[-2000:] + run.stderr
    assert (line in (closed.home / ".bashrc").read_text()) == (code == 0)


def _wait_for(claim):
    deadline = time.monotonic() + _PATIENCE_S
    while not claim():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.05)
