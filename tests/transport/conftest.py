"""Keys and hops for the transport tests."""

import logging
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import asyncssh
import pytest
from scupi_provision.transport.base import Hop

sys.path.insert(0, str(Path(__file__).parent))  # the servers in loopback.py, whatever pytest's import mode


@pytest.fixture(scope="session", autouse=True)
def _quiet_asyncssh():
    """The servers of the tests log what we make them refuse."""
    logging.getLogger("asyncssh").setLevel(logging.CRITICAL)


@pytest.fixture(scope="session")
def keys():
    """One key of each kind that a test needs; RSA keys are slow to make."""
    return SimpleNamespace(
        user=asyncssh.generate_private_key("ssh-ed25519"),
        stranger=asyncssh.generate_private_key("ssh-ed25519"),
        host=asyncssh.generate_private_key("ssh-ed25519"),
        other_host=asyncssh.generate_private_key("ssh-ed25519"),
        host_rsa=asyncssh.generate_private_key("ssh-rsa", key_size=2048),
        user_rsa=asyncssh.generate_private_key("ssh-rsa", key_size=2048),
        user_ecdsa=asyncssh.generate_private_key("ecdsa-sha2-nistp384"),
    )


@pytest.fixture
def key_file(tmp_path):
    """Writes a private key to a file as ssh-keygen would, and returns its path."""

    def write(key, name="id", **options):
        path = tmp_path / name
        if "format_name" not in options:
            options |= {"format_name": "openssh", "rounds": 50}  # the fewest that bcrypt does not warn about
        path.write_bytes(key.export_private_key(**options))
        path.chmod(0o600)
        return path

    return write


@pytest.fixture
def known_hosts(tmp_path):
    """Writes known_hosts lines (text, or (port, key) for a loopback server) and returns the file's path."""

    def write(*lines, name="known_hosts"):
        path = tmp_path / name
        path.write_text("".join(line if isinstance(line, str) else known_line(*line) for line in lines))
        return path

    return write


@pytest.fixture
def hop(keys, key_file):
    """Makes a hop to a loopback port, with the good user key unless told otherwise."""

    def make(port, known, name="admin1", **changes):
        changes.setdefault("user", "student")
        if "key_files" not in changes:
            changes["key_files"] = (key_file(keys.user),)
        return Hop(name=name, address="127.0.0.1", port=port, known_hosts=(known,), **changes)

    return make


def known_line(port, key):
    """The known_hosts line of a loopback server."""
    return f"[127.0.0.1]:{port} {key.export_public_key().decode().strip()}\n"


@pytest.fixture
def ssh_agent(tmp_path, monkeypatch):
    """`ssh_agent(key, …)`: OpenSSH's agent, holding these keys, is the one that programs find."""
    agents = []

    def start(*held):
        socket = tmp_path / "agent"
        agents.append(subprocess.Popen(["ssh-agent", "-D", "-a", socket], stdout=subprocess.DEVNULL))
        deadline = time.monotonic() + 10
        while not socket.exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        monkeypatch.setenv("SSH_AUTH_SOCK", str(socket))
        for key in held:
            text = key.export_private_key("openssh")
            subprocess.run(["ssh-add", "-q", "-"], input=text, check=True)

    yield start
    for agent in agents:
        agent.terminate()
        agent.wait(10)
