"""The same promises against OpenSSH's own sshd, which is what clusters run."""

import hashlib
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
from loopback import SSHD, openssh_server
from scupi_provision.errors import AuthenticationError, HostKeyError, UnreachableError
from scupi_provision.transport.ssh import connect

pytestmark = pytest.mark.skipif(not SSHD.exists(), reason=f"needs OpenSSH's {SSHD}")

USER = "root" if os.geteuid() == 0 else os.environ.get("USER", "")


@pytest.fixture
def target(tmp_path, keys, key_file):
    with openssh_server(tmp_path / "gpu2", key_file(keys.host, "host"), keys.user) as port:
        yield port


@pytest.fixture
def jump(tmp_path, keys, key_file):
    with openssh_server(tmp_path / "admin1", key_file(keys.other_host, "other_host"), keys.user) as port:
        yield port


@pytest.fixture
def known(target, known_hosts, keys):
    """Both servers known; the jump, when there is one, is added by the test."""
    return known_hosts((target, keys.host))


def _output_of(transport, command, data=b""):
    channel = transport.open_shell(command)
    channel.send(data)
    output = b""
    while piece := channel.receive(10):
        output += piece
    channel.close()
    return output


def test_one_hop_carries_eight_megabytes_both_ways(target, known, hop):
    big = os.urandom(1024) * 8192
    transport = connect((hop(target, known, user=USER),))
    command = f"head -c {len(big)} | sha256sum; head -c {len(big)} /dev/zero"
    output = _output_of(transport, command, big)
    transport.close()
    assert output.startswith(hashlib.sha256(big).hexdigest().encode())
    assert output.endswith(b"\0" * len(big))


def test_two_hops_and_no_agent_on_the_far_side(target, jump, hop, known_hosts, keys, monkeypatch, tmp_path):
    monkeypatch.setenv("SSH_AUTH_SOCK", str(tmp_path / "agent"))
    known = known_hosts((target, keys.host), (jump, keys.other_host))
    transport = connect((hop(jump, known, user=USER), hop(target, known, name="gpu2", user=USER)))
    assert _output_of(transport, 'echo "${SSH_CONNECTION##* } agent=$SSH_AUTH_SOCK"') == f"{target} agent=\n".encode()
    transport.close()


def test_a_swapped_key_behind_the_jump_is_refused_before_authentication(target, jump, hop, known_hosts, keys, tmp_path):
    known = known_hosts((target, keys.stranger), (jump, keys.other_host))
    with pytest.raises(HostKeyError, match="gpu2"):
        connect((hop(jump, known, user=USER), hop(target, known, name="gpu2", user=USER)))
    log = _log_that_says(tmp_path / "gpu2" / "log", "[preauth]")
    assert "Accepted" not in log
    assert "Failed" not in log


def _log_that_says(path: Path, words: str) -> str:
    """The log once `words` are in it: sshd writes of a connection's end when it has noticed it."""
    for _ in range(100):
        log = path.read_text()
        if words in log:
            return log
        time.sleep(0.05)
    raise AssertionError(f"no {words} in {log}")


def test_names_hashed_by_ssh_keygen_are_accepted(target, known, hop):
    subprocess.run(["ssh-keygen", "-q", "-H", "-f", known], check=True, capture_output=True)
    assert "127.0.0.1" not in known.read_text()
    connect((hop(target, known, user=USER),)).close()


def test_a_wrong_key_is_refused_with_the_methods_allowed(target, known, hop, keys, key_file):
    files = tuple(key_file(key, f"id{number}") for number, key in enumerate((keys.stranger, keys.user_rsa)))
    with pytest.raises(AuthenticationError) as caught:
        connect((hop(target, known, user=USER, key_files=files),))
    assert caught.value.diagnostic.detail.count("tried:  key SHA256:") == 2
    assert "server allows: publickey" in caught.value.diagnostic.detail


def _add_to_agent(path):
    """ssh-add, once the agent listens."""
    for _ in range(50):
        if subprocess.run(["ssh-add", "-q", path], check=False, capture_output=True).returncode == 0:
            return
        time.sleep(0.05)
    pytest.fail("ssh-agent did not start")


def test_a_key_from_the_agent_logs_in(target, known, hop, keys, key_file, monkeypatch, tmp_path):
    agent = subprocess.Popen(["ssh-agent", "-D", "-a", tmp_path / "sock"], stdout=subprocess.DEVNULL)
    try:
        monkeypatch.setenv("SSH_AUTH_SOCK", str(tmp_path / "sock"))
        _add_to_agent(key_file(keys.user))
        connect((hop(target, known, user=USER, key_files=(), use_agent=True),)).close()
    finally:
        agent.terminate()
        agent.wait(10)


def test_a_jump_that_forbids_forwarding_is_explained(target, hop, known_hosts, keys, key_file, tmp_path):
    host_key = key_file(keys.other_host, "other_host")
    with openssh_server(tmp_path / "closed", host_key, keys.user, AllowTcpForwarding="no") as jump:
        known = known_hosts((target, keys.host), (jump, keys.other_host))
        with pytest.raises(UnreachableError, match=r"admin1 .* does not allow forwarding to gpu2"):
            connect((hop(jump, known, user=USER), hop(target, known, name="gpu2", user=USER, reach="jump")))


def test_too_many_sessions_are_said(hop, known_hosts, keys, key_file, tmp_path):
    with openssh_server(tmp_path / "busy", key_file(keys.host, "host"), keys.user, MaxSessions="1") as port:
        transport = connect((hop(port, known_hosts((port, keys.host)), user=USER),))
        first = transport.open_shell("cat")
        with pytest.raises(UnreachableError, match="does not run commands"):
            transport.open_shell("cat")
        first.close()
        transport.close()


@pytest.mark.parametrize("stopped", ["admin1", "gpu2"])
def test_a_stopped_sshd_is_noticed_and_named_on_either_hop(target, jump, hop, known_hosts, keys, tmp_path, stopped):
    """The kernel of a stopped server still acknowledges every packet, so no TCP timeout would ever fire."""
    known = known_hosts((target, keys.host), (jump, keys.other_host))
    route = (hop(jump, known, user=USER), hop(target, known, name="gpu2", user=USER))
    transport = connect(route, heartbeat_interval_s=0.2, heartbeat_deadline_s=0.6)
    channel = transport.open_shell("echo begun; exec sleep 60")
    assert channel.receive(10) == b"begun\n"
    listener = (tmp_path / stopped / "pid").read_text().strip()
    children = subprocess.run(["ps", "-o", "pid=", "--ppid", listener], check=True, capture_output=True, text=True)
    sessions = [int(pid) for pid in children.stdout.split()]
    for pid in sessions:
        os.kill(pid, signal.SIGSTOP)
    try:
        begin = time.monotonic()
        with pytest.raises(UnreachableError, match=rf"connection to {stopped} .* was lost"):
            channel.receive(30)
        assert time.monotonic() - begin < 2
        transport.close()
    finally:
        for pid in sessions:
            os.kill(pid, signal.SIGCONT)
