"""The lines that the tutorial puts into ~/.ssh/config, as OpenSSH takes them, between real nodes."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))  # tutorial_page.py, whatever pytest's import mode

from tutorial_page import ENGLISH

_PATIENCE_S = 30.0


@pytest.fixture
def ssh_with(lab, tmp_path):
    """`ssh_with(key)`: OpenSSH's client with the tutorial's lines, the lab's address and this key in them."""
    (text,) = [block for block in ENGLISH.blocks("text") if block.startswith("Host scupi-admin1")]

    def configured(key):
        lines = text
        for cluster, here in {
            "121.48.227.161": lab.admin_address,
            "Port 7092": f"Port {lab.admin_port}",
            "2021141520001": lab.user,
            "~/.ssh/scupi_id_rsa": f'"{key}"',
        }.items():
            assert cluster in lines
            lines = lines.replace(cluster, here)
        config = tmp_path / f"config-{Path(key).name}"
        config.write_text(f'{lines}  UserKnownHostsFile "{lab.known_hosts}"\n  BatchMode yes\n')
        return [shutil.which("ssh") or pytest.fail("openssh-client is missing"), "-F", str(config)]

    return configured


@pytest.fixture
def ssh(lab, ssh_with):
    """The client with the key that the inventory names."""
    return ssh_with(lab.inventory.read_text().split('key: "')[1].split('"')[0])


def _hostname(ssh: list[str], node: str) -> str:
    """What the node calls itself, "" when it lets nobody in."""
    command = [*ssh, f"scupi-{node}", "hostname"]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60).stdout


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _greeting(port: int) -> bytes:
    """The first bytes that come through the port, b"" while nobody listens there."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as line:
            return line.recv(32)
    except ConnectionError:
        return b""


@pytest.mark.parametrize("node", ["admin1", "gpu2"])
def test_both_nodes_are_found_by_name(ssh, node):
    assert _hostname(ssh, node) == f"{node}\n"


def test_a_key_of_ones_own_opens_both_nodes(lab, provision, tmp_path, ssh, ssh_with):
    """After the tutorial's playbook, and not before it. The key that was there goes on working."""
    key = tmp_path / "home/.ssh/scupi"
    key.parent.mkdir()
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True, stdin=subprocess.DEVNULL)
    assert _hostname(ssh_with(key), "admin1") == ""
    applied = provision(lab, "apply", ENGLISH.playbook("A key of my own"))
    assert applied.code == 0, applied.stdout + applied.stderr
    for node in ("admin1", "gpu2"):
        assert _hostname(ssh_with(key), node) == f"{node}\n"
    assert _hostname(ssh, "gpu2") == "gpu2\n"


def test_a_port_of_gpu2_is_reached_through_both_nodes(ssh):
    """As the tutorial's line for Jupyter does it: a port on gpu2's own loopback. What listens there is its sshd."""
    port = _free_port()
    tunnel = subprocess.Popen(
        [*ssh, "-o", "ExitOnForwardFailure=yes", "-N", "-L", f"{port}:127.0.0.1:22", "scupi-gpu2"]
    )
    try:
        deadline = time.monotonic() + _PATIENCE_S
        while not (said := _greeting(port)) and tunnel.poll() is None and time.monotonic() < deadline:
            time.sleep(0.1)
        assert said.startswith(b"SSH-2.0-OpenSSH")
    finally:
        tunnel.terminate()
        tunnel.wait(10)
