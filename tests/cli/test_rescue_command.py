"""`provision rescue` as it is typed: what is refused before any host is contacted, and rescue on this machine."""

from __future__ import annotations

import json
import subprocess

import pytest
from scupi_provision.cli.main import app
from typer.testing import CliRunner

INVENTORY = """\
all:
  hosts:
    admin1: {{ansible_host: 127.0.0.1, ansible_port: 9, {more}}}
accounts:
  - {{id: "0123", key: "{key}"}}
"""


@pytest.fixture(scope="module")
def key(tmp_path_factory):
    """A private key."""
    path = tmp_path_factory.mktemp("key") / "id"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path], check=True, stdin=subprocess.DEVNULL)
    return path


@pytest.fixture
def rescue(tmp_path, key):
    """`rescue(*arguments, more=…)`: the command on an inventory with one account; `more` are variables of its host."""

    def run(*arguments: str, more: str = "x: 1"):
        inventory = tmp_path / "inventory.yaml"
        inventory.write_text(INVENTORY.format(more=more, key=key))
        return CliRunner().invoke(app, ["rescue", *arguments, "-i", str(inventory)])

    return run


def test_an_account_that_is_not_there_is_refused(rescue):
    done = rescue("0124")
    assert done.exit_code == 2
    assert 'no account "0124"' in done.stderr


@pytest.mark.parametrize("value", ["soon", "0", "-3", "9000", "[1]"])
def test_a_login_timeout_that_is_no_time_is_refused(rescue, value):
    done = rescue("0123", more=f"provision_login_timeout: {value}")
    assert done.exit_code == 2
    assert "provision_login_timeout" in done.stderr
    assert "inventory.yaml" in done.stderr


def test_a_host_that_is_not_there_is_said_and_nothing_to_paste(rescue):
    """No way in is one thing, no way to the host another."""
    done = rescue("0123")
    assert done.exit_code == 3
    assert "refuses connections on port 9" in done.stderr
    assert "WebShell" not in done.stderr


def test_on_this_machine_no_way_in_is_needed(rescue, tmp_path, monkeypatch):
    home = tmp_path / "home"
    home.mkdir()
    (home / ".bashrc").write_text("export A=1\nexit 4\n")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("SHELL", "/bin/bash")
    done = rescue("0123", "--yes", "--json", more="ansible_connection: local")
    steps = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.exit_code == 0, done.output
    assert [step["step"] for step in steps] == ["WayTried", "Finding", "Repaired", "LoggedIn"]
    assert (home / ".bashrc").read_text().startswith("export A=1\n# provision rescue ")
    assert (home / ".bashrc.before-rescue-1").read_text() == "export A=1\nexit 4\n"
