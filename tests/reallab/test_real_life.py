"""A lab's life: up, down, killed, two at once; and the settings with which it can be started."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest
from newcomer import comes_true
from scupi_provision.errors import InputError, ProvisionError
from scupi_provision.lab.real.control import down, reset, status, up
from scupi_provision.lab.real.network import Wiring
from scupi_provision.lab.real.settings import LabSettings
from scupi_provision.lab.real.state import RealLab, read_real_state, real_layout

_PLAY = """
- hosts: all
  tasks:
    - copy: {dest: "~/on-{{ ansible_facts.hostname }}", content: here}
    - command: "true"
"""
_LEAVE = "setsid sleep 987 >/dev/null 2>&1 </dev/null & echo $!"


def _interfaces() -> set[str]:
    return {path.name for path in Path("/sys/class/net").glob("plab*")}


def _sleepers(lab: RealLab) -> list[str]:
    """Command lines of the account's processes, whichever node they are on."""
    listing = subprocess.run(["ps", "-A", "-o", "uid=,stat=,args="], capture_output=True, text=True, check=True).stdout
    rows = [line.split(maxsplit=2) for line in listing.splitlines()]
    uid = str(lab.home.stat().st_uid)
    return [row[2] for row in rows if row[0] == uid and "Z" not in row[1] and "sleep 987" in row[2]]


def _link(lab: RealLab) -> str:
    state = read_real_state(real_layout(lab.directory))
    assert state
    return Wiring(state.number).link


def test_down_ends_what_was_left_running_and_takes_the_wires_away_but_keeps_the_home(start, said):
    lab = start()
    link = _link(lab)
    for node in ("admin1", "gpu2"):
        said(lab, node, _LEAVE)
    (lab.home / "kept").touch()
    assert link in _interfaces()
    assert down(directory=lab.directory)
    assert comes_true(lambda: link not in _interfaces(), 5)
    assert status(directory=lab.directory).lab is None
    assert not down(directory=lab.directory)
    again = up(directory=lab.directory, with_sources=False)
    assert said(again, "gpu2", "ls") == "kept\n"


def test_a_daemon_killed_outright_takes_both_nodes_with_it_and_the_lab_comes_up_again(start, said):
    lab = start()
    link = _link(lab)
    said(lab, "gpu2", _LEAVE)
    before = len(_sleepers(lab))
    os.kill(lab.pid, signal.SIGKILL)
    assert comes_true(lambda: link not in _interfaces(), 5)
    assert comes_true(lambda: len(_sleepers(lab)) == before - 1, 5)
    assert status(directory=lab.directory).lab is None
    assert str(lab.directory) not in Path("/proc/self/mounts").read_text()
    again = up(directory=lab.directory, with_sources=False)
    assert said(again, "gpu2", "hostname") == "gpu2\n"


def test_two_labs_live_side_by_side(start, lab, said):
    other = start()
    assert other.admin_address != lab.admin_address
    (other.home / "theirs").touch()
    assert said(other, "gpu2", "ls") == "theirs\n"
    assert "theirs" not in said(lab, "gpu2", "ls")
    assert reset(directory=other.directory)
    assert not other.directory.exists()
    assert said(lab, "gpu2", "hostname") == "gpu2\n"


@pytest.mark.parametrize("shell", ["dash", "busybox", "mksh"])
def test_an_account_with_another_login_shell_is_served(start, said, provision, shell):
    lab = start(login_shell=shell)
    assert said(lab, "gpu2", "echo $0").strip().rpartition("/")[2] in {shell, "ash"}
    done = provision(lab, "apply", _PLAY)
    assert done.code == 0, done.stdout + done.stderr
    assert len(done.changes()) == 4


def test_a_noisy_bashrc_disturbs_nothing(start, provision):
    lab = start()
    (lab.home / ".bashrc").write_text("echo welcome; echo oops >&2; printf '\\033[31m'; cd /tmp; set -u; umask 077\n")
    done = provision(lab, "apply", _PLAY)
    assert done.code == 0, done.stdout + done.stderr
    assert (lab.home / "on-gpu2").read_text() == "here"


def test_a_server_as_old_as_openssh_7_4_is_served(start, provision):
    done = provision(start(algorithms="7.4"), "apply", _PLAY)
    assert done.code == 0, done.stdout + done.stderr


def test_a_running_lab_is_reused_and_started_anew_for_other_settings(start, said):
    lab = start()
    assert up(directory=lab.directory, with_sources=False).nodes == lab.nodes
    other = up(directory=lab.directory, with_sources=False, settings=LabSettings(login_shell="dash"))
    assert other.nodes != lab.nodes
    assert said(other, "admin1", "echo $SHELL").strip().endswith("/dash")


def test_without_root_it_says_what_to_do(monkeypatch, tmp_path):
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    with pytest.raises(ProvisionError, match="needs root") as caught:
        up(directory=tmp_path / "lab")
    assert "embedded lab" in caught.value.diagnostics[0].hint
    assert not (tmp_path / "lab").exists()


@pytest.mark.parametrize("settings", [{"login_shell": "fish"}, {"algorithms": "6.6"}])
def test_unknown_settings_are_refused(settings):
    with pytest.raises(InputError, match="the lab has no"):
        LabSettings(**settings)
