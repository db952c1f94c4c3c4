"""`doctor` from end to end, on this machine and on a server on loopback: what it says, and that it changes nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import asyncssh
import pytest
from scupi_provision.errors import InputError
from scupi_provision.host.finding import State
from scupi_provision.inventory.load import load_inventory
from scupi_provision.run.doctor import doctor
from scupi_provision.run.request import RunRequest

sys.path.insert(0, str(Path(__file__).parents[1] / "transport"))  # the servers in loopback.py

from loopback import SSHD, SshServer, free_port, openssh_server

USER = "root" if os.geteuid() == 0 else os.environ.get("USER", "")
LOCAL = "all:\n  hosts:\n    admin1: {ansible_connection: local}\n    gpu2: {ansible_connection: local}\n"


@pytest.fixture
def told(tmp_path):
    """`told(inventory, …)`: what is found, by hop and check."""
    path = tmp_path / "inventory.yaml"

    def look(text, **options):
        path.write_text(text)
        inventory = load_inventory(path)
        request = RunRequest(tmp_path, path)
        found = list(doctor(inventory, request, inventory.hosts, **options))
        assert all("\n" not in one.what + one.fix for one in found)
        assert all(one.fix for one in found if one.state in {State.WARNING, State.PROBLEM, State.NOTE})
        assert len(found) == len({(one.hop, one.check) for one in found})
        return {(one.hop, one.check): one for one in found}

    return look


def test_two_names_of_this_machine(told, account):
    """Nothing is left in the home, not even a folder."""
    found = told(LOCAL)
    assert found["admin1", "fresh login"].state is State.OK
    assert found["admin1 and gpu2", "one home"].what == "both have the same"
    assert found["admin1 and gpu2", "clocks"].state is State.OK
    assert list(account.iterdir()) == []


def test_a_clock_that_is_off(told, account):
    found = told(LOCAL, now=lambda: time.time() - 3600)
    for node in ("admin1", "gpu2"):
        assert found[node, "clock"].state is State.WARNING
        assert "ahead of this computer" in found[node, "clock"].what
        assert "NTP" in found[node, "clock"].fix


def test_clocks_that_differ(told, account):
    """This computer's clock jumps between the two nodes, which looks as if one of theirs were off."""
    readings = iter([0.0, 0.0, 100.0, 100.0])
    found = told(LOCAL, now=lambda: time.time() + next(readings))
    assert found["admin1 and gpu2", "clocks"].state is State.WARNING
    assert found["admin1 and gpu2", "clocks"].what.startswith(("98 s", "99 s", "100 s"))


def test_sources_of_the_inventory_are_asked(told, account):
    closed = f"http://127.0.0.1:{free_port()}/git"
    found = told(LOCAL + f"  vars:\n    sources_git: [{closed}]\n")
    assert found["admin1", "sources"].what == f"none answers ({closed[7:-4]})"


# --- a server of its own ---------------------------------------------------------------------------------------------

openssh = pytest.mark.skipif(not SSHD.exists(), reason=f"needs OpenSSH's {SSHD}")


@pytest.fixture
def serve(tmp_path, account):
    """`serve(port, **lines)`: the inventory of one server with a key that it knows."""
    user, host = (asyncssh.generate_private_key("ssh-ed25519") for _ in range(2))
    for name, key in (("user", user), ("host", host)):
        (tmp_path / name).write_bytes(key.export_private_key())
        (tmp_path / name).chmod(0o600)

    def write(port, key="user"):
        known = tmp_path / "known_hosts"
        known.write_text(f"[127.0.0.1]:{port} {host.export_public_key().decode()}")
        keys = json.dumps([str(tmp_path / name) for name in key.split()])
        return (
            f"all:\n  hosts:\n    admin1:\n      ansible_host: 127.0.0.1\n      ansible_port: {port}\n"
            f"      ansible_user: {USER}\n      my_keys: {keys}\n"
            '      ansible_ssh_private_key_file: "{{ my_keys }}"\n'
            f"      provision_known_hosts: {known}\n"
        )

    write.user, write.host = user, tmp_path / "host"
    return write


@openssh
def test_a_server_without_sftp(told, serve, tmp_path):
    with openssh_server(tmp_path / "sshd", serve.host, serve.user) as port:
        found = told(serve(port))
    assert found["admin1", "SFTP"].state is State.WARNING
    assert "Subsystem sftp internal-sftp" in found["admin1", "SFTP"].fix


class Keeper:
    """A person who knows the password, and counts how often it was asked for."""

    def __init__(self):
        self.questions = []

    def secret(self, hop, question, *, echo):
        self.questions.append((hop.name, question))
        return "pw"

    def trusts(self, hop, offered):
        raise AssertionError("a look trusts nobody new")


def test_a_host_that_asks_is_not_asked_to_ask_again(serve, tmp_path, monkeypatch):
    """A second login would cost a second code; so what takes one is left out, and says so."""
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    host = asyncssh.read_private_key(serve.host)
    with SshServer([host], password="pw") as server:
        path = tmp_path / "inventory.yaml"
        path.write_text(serve(server.port).replace("ansible_ssh_private_key_file", "no_key"))
        inventory, keeper = load_inventory(path), Keeper()
        found = {
            one.check: one for one in doctor(inventory, RunRequest(tmp_path, path, person=keeper), inventory.hosts)
        }
    assert found["login"].state is State.OK
    assert found["fresh login"].what == "not looked at: another login would take another code from you"
    assert [name for name, _ in keeper.questions] == ["admin1"]


@openssh
def test_a_bad_key_beside_a_good_one(told, serve, tmp_path):
    """It is told, and does not keep anybody from logging in."""
    (tmp_path / "bad").write_text("no key\n")
    (tmp_path / "bad").chmod(0o600)
    options = {"Subsystem": "sftp internal-sftp"}
    with openssh_server(tmp_path / "sshd", serve.host, serve.user, **options) as port:
        path = tmp_path / "inventory.yaml"
        path.write_text(serve(port, "bad user"))
        inventory = load_inventory(path)
        found = list(doctor(inventory, RunRequest(tmp_path, path), inventory.hosts))
    keys = [one for one in found if one.check == "key file"]
    assert [one.state for one in keys] == [State.PROBLEM, State.OK]
    assert "is not a private key" in keys[0].what
    states = {one.check: one.state for one in found}
    assert states["login"] is states["SFTP"] is states["fresh login"] is State.OK


def test_a_way_that_cannot_be_gone_is_refused_before_anything_is_contacted(told, serve):
    with pytest.raises(InputError, match="is not a host name"):
        told(serve(22).replace("127.0.0.1", '"{{ there }}"\n      there: $(id)', 1))


# --- the command -----------------------------------------------------------------------------------------------------


def provision(place, *arguments):
    """`provision doctor` as a person types it there."""
    return subprocess.run(
        [sys.executable, "-m", "scupi_provision", "doctor", *arguments],
        cwd=place, env={**os.environ, "HOME": str(place / "home")}, stdin=subprocess.DEVNULL,
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip


def test_machines_get_a_line_for_each_finding(tmp_path, account):
    (tmp_path / "inventory.yaml").write_text(LOCAL)
    done = provision(tmp_path, "--node", "admin1", "--json")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0, done.stdout + done.stderr
    assert {tuple(line) for line in lines} == {("hop", "check", "state", "what", "fix")}
    assert {line["hop"] for line in lines} == {"admin1"}


def test_nobody_at_home_is_exit_3(tmp_path, account):
    (tmp_path / "inventory.yaml").write_text(
        f"all:\n  hosts:\n    a: {{ansible_host: 127.0.0.1, ansible_port: {free_port()}, ansible_user: x}}\n"
    )
    done = provision(tmp_path)
    assert done.returncode == 3, done.stdout + done.stderr
    assert "refuses connections" in done.stdout
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(("--node", "gpu3"), 'has no host "gpu3"'), (("-a", "nobody"), 'no account "nobody"'), (("-i", "x"), "x")],
)
def test_bad_input_is_exit_2(tmp_path, account, arguments, said):
    (tmp_path / "inventory.yaml").write_text(LOCAL)
    done = provision(tmp_path, *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
