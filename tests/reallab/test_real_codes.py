"""OpenSSH with PAM that wants a key and then a code, as clusters with two factors have it."""

import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import asyncssh
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "transport"))

from loopback import SSHD, free_port, wait_for_port
from scupi_provision.errors import AuthenticationError
from scupi_provision.transport.base import Hop
from scupi_provision.transport.ssh import connect

CODE = "246810"
CHECK = f"""\
#!/bin/sh
read -r code
[ "$code" = {CODE} ]
"""
PAM = """\
auth required pam_exec.so expose_authtok quiet {check}
auth required pam_permit.so
account required pam_permit.so
session required pam_permit.so
"""
SETTINGS = """\
Port {port}
ListenAddress 127.0.0.1
HostKey {folder}/host_key
PidFile {folder}/pid
AuthorizedKeysFile {folder}/authorized_keys
StrictModes no
UsePAM yes
PermitRootLogin yes
KbdInteractiveAuthentication yes
AuthenticationMethods publickey,keyboard-interactive
"""


class Knowing:
    """A person with these codes."""

    def __init__(self, *codes):
        self.codes = list(codes)
        self.asked = []

    def secret(self, hop, question, *, echo):
        self.asked.append((hop.name, question, echo))
        return self.codes.pop(0)

    def trusts(self, _hop, _offered):
        return True


def _write(path, content, mode=0o600):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    path.chmod(mode)
    return path


@pytest.fixture(scope="module")
def guarded(tmp_path_factory):
    """An sshd whose PAM is its own, by a mount that nobody else sees."""
    folder = tmp_path_factory.mktemp("codes")
    host, user = (asyncssh.generate_private_key("ssh-ed25519") for _ in range(2))
    _write(folder / "host_key", host.export_private_key())
    _write(folder / "id", user.export_private_key())
    _write(folder / "authorized_keys", user.export_public_key())
    (folder / "pam.d").mkdir()
    check = _write(folder / "check", CHECK, 0o755)
    _write(folder / "pam.d/sshd", PAM.format(check=check))
    port = free_port()
    _write(folder / "config", SETTINGS.format(port=port, folder=folder))
    Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    inside = f"mount --bind {folder}/pam.d /etc/pam.d && exec {SSHD} -D -e -f {folder}/config"
    command = [shutil.which("unshare"), "--mount", "sh", "-c", inside]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        wait_for_port(port)
        new_keys = folder / "known_hosts"
        yield SimpleNamespace(
            hop=Hop("admin1", "127.0.0.1", port, "root", (folder / "id",), (new_keys,), new_keys=new_keys)
        )
    finally:
        server.terminate()
        server.wait(10)


def _says_hello(transport):
    channel = transport.open_shell("echo hello")
    try:
        return channel.receive(10) == b"hello\n"
    finally:
        channel.close()


def test_the_code_is_asked_once_after_the_key(guarded):
    person = Knowing(CODE)
    transport = connect((guarded.hop,), person=person)
    assert _says_hello(transport)
    transport.close()
    assert person.asked == [("admin1", "Password:", False)]


def test_a_wrong_code_is_asked_again(guarded):
    person = Knowing("1", "2", CODE)
    connect((guarded.hop,), person=person).close()
    assert [question for _, question, _ in person.asked] == ["Password:", *["that was not accepted; Password:"] * 2]


def test_three_wrong_codes_end_the_login(guarded):
    person = Knowing("1", "2", "3", CODE)
    with pytest.raises(AuthenticationError, match="does not let user root in"):
        connect((guarded.hop,), person=person)
    assert len(person.asked) == 3


def test_with_nobody_there_it_is_said_who_asks(guarded):
    with pytest.raises(AuthenticationError, match="admin1 asks for something that only you know"):
        connect((guarded.hop,))
