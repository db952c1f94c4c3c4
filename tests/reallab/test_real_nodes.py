"""Two nodes as on a cluster: what a login finds on each, and what it does not."""

from __future__ import annotations

import pwd
import re
import subprocess

import pytest
from scupi_provision.lab.real.daemon import MIRROR_PORT

NODES = ("admin1", "gpu2")


@pytest.mark.parametrize("node", NODES)
def test_a_login_is_one_unprivileged_account_in_the_home_that_both_share(lab, said, node):
    (lab.home / "shared").write_text("here")
    lines = said(lab, node, "hostname; id -un; id -Gn; pwd; cat shared").split()
    assert lines == [node, lab.user, lab.user, lab.account_home, "here"]
    assert int(said(lab, node, "id -u")) == lab.home.stat().st_uid != 0


def test_this_machine_does_not_know_the_account(lab):
    with pytest.raises(KeyError):
        pwd.getpwnam(lab.user)


@pytest.mark.parametrize("node", NODES)
def test_the_account_can_change_nothing_but_its_own_and_sees_nothing_of_this_machine(lab, said, node, tmp_path):
    attempts = "for p in /usr /etc /opt /run / /public/home; do touch $p/x 2>/dev/null && echo wrote $p; done"
    assert said(lab, node, f"{attempts}; ls -A /tmp") == ""
    assert said(lab, node, f"ls -d {tmp_path} {lab.directory} /root/.ssh 2>/dev/null || echo none") == "none\n"


@pytest.mark.parametrize("program", ["python3", "git", "gcc", "cc", "curl", "wget", "make", "autoconf"])
def test_gpu2_cannot_run_what_an_apply_must_bring(lab, said, program):
    assert said(lab, "admin1", f"sh -c 'command -v {program}'")
    assert said(lab, "gpu2", f"sh -c 'command -v {program}'", check=False) == ""
    assert said(lab, "gpu2", f"{program} --version; echo $?", check=False) in {"126\n", "127\n"}


def test_gpu2_has_all_else(lab, said):
    """No program goes with those that are hidden because it shares a file with one of them."""
    listing = "for f in /usr/bin/*; do [ -f $f ] && [ -x $f ] && echo ${f##*/}; done; true"
    lost = set(said(lab, "admin1", listing).split()) - set(said(lab, "gpu2", listing).split())
    assert {"python3", "git", "gcc", "make", "curl", "wget"} <= lost
    assert lost.isdisjoint({"bash", "sh", "busybox", "sed", "awk", "tar", "sha256sum", "stat", "ssh", "perl", "xz"})


def test_only_admin1_reaches_gpu2_and_gpu2_reaches_nothing_else(lab, said):
    assert said(lab, "admin1", "ssh gpu2 hostname") == "gpu2\n"
    routes = said(lab, "gpu2", "ip route").splitlines()
    assert len(routes) == 1
    assert "via" not in routes[0]
    assert "default" not in said(lab, "admin1", "ip route")
    gpu = said(lab, "gpu2", "hostname -I").split()[0]
    way = subprocess.run(["ip", "route", "get", gpu], capture_output=True, text=True, check=False).stdout
    assert "plab" not in way


def test_the_mirror_is_on_admin1s_own_loopback(lab, said):
    (lab.directory / "mirror/it").write_text("served")
    fetch = f"exec 3<>/dev/tcp/127.0.0.1/{MIRROR_PORT}; printf 'GET /it HTTP/1.0\\r\\n\\r\\n' >&3; tail -n 1 <&3"
    assert said(lab, "admin1", f"bash -c {fetch!r}").endswith("served")
    assert said(lab, "gpu2", f"bash -c {fetch!r} 2>/dev/null || echo refused") == "refused\n"


def test_each_node_has_processes_terminals_and_a_boot_of_its_own(lab, said):
    assert said(lab, "admin1", "cat /proc/sys/kernel/random/boot_id") != said(
        lab, "gpu2", "cat /proc/sys/kernel/random/boot_id"
    )
    for node in NODES:
        commands = said(lab, node, "for p in /proc/[0-9]*; do cat $p/cmdline 2>/dev/null | tr '\\0' ' '; echo; done")
        strangers = [line for line in commands.splitlines() if line and not re.match(r"sshd|bash -c|cat|tr", line)]
        assert strangers == []
    ssh_tt = said(lab, "gpu2", "script -qc tty /dev/null || true")
    assert "/dev/pts/0" in ssh_tt or ssh_tt == ""


def test_a_playbook_is_applied_to_both_over_the_jump(lab, provision):
    play = """
    - hosts: all
      tasks:
        - copy: {dest: "~/on-{{ ansible_facts.hostname }}", content: "{{ ansible_facts.tools | sort | join(' ') }}"}
    """
    first = provision(lab, "apply", play)
    assert first.code == 0, first.stderr
    assert len(first.changes()) == 2
    assert provision(lab, "apply", play).changes() == []
    tools = {node: (lab.home / f"on-{node}").read_text().split() for node in NODES}
    missing = {"python3", "git", "gcc", "cc", "curl", "wget", "make"}
    assert missing <= set(tools["admin1"])
    assert missing.isdisjoint(tools["gpu2"])


def test_hosts_of_one_run_take_turns_in_their_home_whichever_of_them_is_quicker(lab, provision):
    """A lock that is let go while another node asks whether its owner lives is a free lock."""
    for round_ in range(2):
        done = provision(lab, "apply", f"- hosts: all\n  tasks:\n    - command: echo {round_}\n")
        assert done.code == 0, (round_, done.stdout)
