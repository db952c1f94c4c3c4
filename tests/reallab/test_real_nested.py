"""The nested way on real nodes: admin1's sshd forwards nothing, and ssh on admin1 leads on to gpu2."""

from __future__ import annotations

import os
import signal
import subprocess

import pytest
import yaml
from entrance import Entrance, output_of
from newcomer import Newcomer, comes_true, ended, lines_until
from scupi_provision.errors import AuthenticationError, HostKeyError, UnreachableError

_PLAY = """
- hosts: admin1
  verify: gpu2
  tasks:
    - copy: {dest: ~/made-on, content: "{{ ansible_facts.hostname }}"}
  verify_tasks:
    - expect: {command: hostname, stdout: gpu2}
    - expect: {path: ~/made-on}
- hosts: gpu2
  tasks:
    - copy: {dest: ~/here, content: "{{ 'x' * 300000 }}"}
"""
_PATIENCE_S = 15.0
_STRANGER = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJmGkyFLxCv1r6PkUmFQrDXbsVGn1zAPvvmiWoyNkTd4"


@pytest.fixture(scope="module")
def closed(start):
    """A lab whose admin1 does not forward."""
    return start(forwarding=False)


@pytest.fixture(scope="module")
def entrance(closed):
    return Entrance(closed)


def _left_on_admin(lab):
    """Folders of connections in admin1's /tmp."""
    return [entry.name for entry in (lab.directory / "nodes/admin1/tmp").iterdir()]


def test_a_playbook_is_applied_and_verified_and_the_second_run_changes_nothing(closed, provision):
    first = provision(closed, "apply", _PLAY)
    assert first.code == 0, first.stdout + first.stderr
    assert len(first.changes()) == 2
    notices = [event["text"] for event in first.of("Notice") if event["host"] == "gpu2"]
    assert notices == ["admin1 does not forward: gpu2 is reached by ssh on admin1 (admin1 could read along)"]
    assert (closed.home / "made-on").read_text() == "admin1"
    assert (closed.home / "here").stat().st_size == 300000
    second = provision(closed, "apply", _PLAY)
    assert second.code == 0
    assert second.changes() == []
    verified = provision(closed, "verify", _PLAY)
    assert verified.code == 0, verified.stdout
    assert [event["passed"] for event in verified.of("CheckFinished")] == [True, True]


def test_nested_costs_no_more_round_trips_than_a_jump(closed, lab, provision):
    play = "- hosts: gpu2\n  tasks:\n    - copy: {dest: ~/small, content: small}\n"
    trips = []
    for each in (closed, lab):
        (summary,) = provision(each, "apply", play).of("HostSummary")
        trips.append(summary["round_trips"])
    assert trips[0] == trips[1]


def test_nothing_is_left_on_admin1(closed, entrance):
    assert comes_true(lambda: not _left_on_admin(closed), _PATIENCE_S), "what ran before is still leaving"
    transport = entrance.open()
    assert transport.way == "nested"
    assert output_of(transport, "hostname") == "gpu2\n"
    assert len(_left_on_admin(closed)) == 1
    transport.close()
    assert comes_true(lambda: not _left_on_admin(closed), _PATIENCE_S)


def test_several_shells_share_one_login(closed, entrance):
    before = closed.logs["gpu2"].read_text().count("Accepted publickey")
    transport = entrance.open()
    assert [output_of(transport, "echo one"), output_of(transport, "echo two")] == ["one\n", "two\n"]
    transport.close()
    assert closed.logs["gpu2"].read_text().count("Accepted publickey") == before + 1


def test_neither_an_agent_nor_a_terminal_comes_along(closed, entrance, monkeypatch):
    """Whatever ~/.ssh/config on admin1 asks for."""
    config = closed.home / ".ssh/config"
    config.write_text("Host *\n  ForwardAgent yes\n  RequestTTY force\n  RemoteCommand echo mine\n  LogLevel QUIET\n")
    try:
        monkeypatch.setenv("SSH_AUTH_SOCK", "/nowhere")
        transport = entrance.open()
        assert output_of(transport, 'tty; echo "agent=$SSH_AUTH_SOCK"') == "not a tty\nagent=\n"
        transport.close()
    finally:
        config.unlink()


def test_another_key_than_the_known_one_is_refused_before_anything_is_said(closed, entrance, tmp_path):
    """admin1 itself knows gpu2's key (/etc/ssh/ssh_known_hosts); what counts is what the controller knows."""
    known = tmp_path / "known_hosts"
    lines = [line for line in closed.known_hosts.read_text().splitlines() if not line.startswith("gpu2 ")]
    known.write_text("\n".join([*lines, f"gpu2 {_STRANGER}", ""]))
    before = closed.logs["gpu2"].read_text().count("Accepted publickey")
    said = entrance.refusal(HostKeyError, known_hosts=(known,))
    assert said.summary == "The host key of gpu2 is not the known one; not connecting"
    assert said.detail.count("SHA256:") == 2
    assert closed.logs["gpu2"].read_text().count("Accepted publickey") == before


def test_an_unknown_key_is_shown_and_refused(entrance, tmp_path):
    said = entrance.refusal(HostKeyError, known_hosts=(tmp_path / "none",))
    assert said.summary == "The host key of gpu2 is not known; not connecting"
    assert "offered: SHA256:" in said.detail


def test_a_person_who_trusts_an_unknown_key_is_asked_once(entrance, tmp_path):
    class Trusting:
        asked = 0

        def trusts(self, _hop, _offered):
            self.asked += 1
            return True

    person, new = Trusting(), tmp_path / "new"
    transport = entrance.open(person=person, known_hosts=(tmp_path / "none", new), new_keys=new)
    transport.close()
    assert person.asked == 1
    entrance.open(known_hosts=(new,)).close()


def test_a_pinned_fingerprint_is_enough(entrance, closed, tmp_path):
    listing = subprocess.run(
        ["ssh-keygen", "-l", "-F", "gpu2", "-f", closed.known_hosts], capture_output=True, text=True, check=True
    )
    pin = next(word for word in listing.stdout.split() if word.startswith("SHA256:"))
    entrance.open(known_hosts=(tmp_path / "none",), host_keys=(pin,)).close()
    said = entrance.refusal(HostKeyError, host_keys=("SHA256:" + "A" * 43,))
    assert "pinned in the inventory" in said.detail


def test_an_account_without_a_key_on_admin1_is_told_which_one_it_needs(closed, entrance):
    key = closed.home / ".ssh/id_ed25519"
    aside = key.with_name("aside")
    key.rename(aside)
    try:
        said = entrance.refusal(AuthenticationError)
        assert "private keys in ~/.ssh on admin1: none" in said.detail
        assert "ssh-keygen -t ed25519" in said.hint
    finally:
        aside.rename(key)


def test_a_node_that_does_not_exist_is_named(entrance):
    said = entrance.refusal(address="gpu9", host_keys=(_STRANGER,))
    assert "the name gpu9 is not known on admin1" in said.summary
    assert "admin1 (" in said.detail


def test_a_second_leg_that_falls_silent_is_noticed_within_20_seconds(start):
    lab = start(forwarding=False)
    transport = Entrance(lab).open()
    channel = transport.open_shell("echo begun; exec sleep 60")
    assert channel.receive(10) == b"begun\n"
    enter = ["nsenter", "--net", f"--target={lab.nodes['admin1']}"]
    subprocess.run([*enter, "ip", "link", "set", "eth1", "down"], check=True)
    with pytest.raises(UnreachableError, match="connection to gpu2 was lost"):
        channel.receive(20)
    assert not transport.alive
    transport.close()


def test_a_run_that_is_killed_leaves_nothing_at_work_on_either_node(closed, tmp_path, said):
    person = Newcomer(tmp_path, closed.directory, tmp_path)
    (tmp_path / "site.yaml").write_text("- hosts: gpu2\n  tasks:\n    - command: sleep 4321\n")
    running = person.start("apply", "site.yaml", "-i", closed.inventory, "--json")
    lines_until(running, lambda event: event["event"] == "TaskStarted")
    os.kill(running.pid, signal.SIGKILL)
    ended(running)
    assert comes_true(lambda: not _left_on_admin(closed), _PATIENCE_S)
    assert comes_true(lambda: "sleep 4321" not in said(closed, "admin1", "ssh gpu2 ps -A -o args"), _PATIENCE_S)


def test_a_host_behind_a_nested_one_is_reached_from_there(closed):
    """The third hop leads back to admin1, which gpu2 reaches, too."""
    transport = Entrance(closed).open(further=("admin1-again", "admin1"))
    assert transport.way == "nested"
    assert "; behind it: admin1-again is reached by ssh on gpu2" in transport.explanation
    assert output_of(transport, "hostname; head -c 100000 /dev/zero | wc -c") == "admin1\n100000\n"
    transport.close()
    assert comes_true(lambda: not _left_on_admin(closed), _PATIENCE_S)


def test_the_inventory_can_ask_for_it_where_a_jump_would_do(lab, tmp_path):
    inventory = yaml.safe_load(lab.inventory.read_text())
    inventory["all"]["hosts"]["gpu2"]["provision_reach"] = "nested"
    (tmp_path / "inventory.yaml").write_text(yaml.safe_dump(inventory))
    (tmp_path / "site.yaml").write_text("- hosts: gpu2\n  tasks:\n    - command: hostname\n")
    done = Newcomer(tmp_path, lab.directory, tmp_path).run("apply", "site.yaml", "--json")
    assert done.code == 0, done.stdout
    assert "as the inventory asks: gpu2 is reached by ssh on admin1" in done.stdout
