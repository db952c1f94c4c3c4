"""A hop looked at step by step: every step that can fail, what is said of it, what to do, and what it hides."""

from __future__ import annotations

import os
import shlex

import pytest
from loopback import SSHD, SshServer, free_port, openssh_server, speaking_server
from scupi_provision.host.finding import State
from scupi_provision.transport.base import Hop, Nobody
from scupi_provision.transport.examining import CHECKS, examine
from scupi_provision.transport.known_hosts import HostKey, fingerprint

USER = "root" if os.geteuid() == 0 else os.environ.get("USER", "")
openssh = pytest.mark.skipif(not SSHD.exists(), reason=f"needs OpenSSH's {SSHD}")


@pytest.fixture
def look():
    """`look(hop, through, resolved)`: the findings by check, and the open hop if there is one; all is closed later."""
    opened = []

    def at(hop, through=None, resolved=None):
        findings = {}
        examination = examine(hop, through, Nobody(), resolved)
        while True:
            try:
                found = next(examination)
            except StopIteration as ended:
                hop_opened = ended.value
                break
            assert found.check not in findings
            findings[found.check] = found
        assert tuple(findings) == CHECKS
        if hop_opened is not None:
            opened.append(hop_opened)
        return findings, hop_opened

    yield at
    for each in reversed(opened):
        each.close()


@pytest.fixture
def server(keys):
    with SshServer([keys.host], [keys.user]) as running:
        yield running


def _obstacle(findings, check):
    """The finding that stands in the way: before it all is well, behind it nothing was seen."""
    at = CHECKS.index(check)
    assert {findings[name].state for name in CHECKS[:at]} <= {State.OK, State.WARNING}
    assert findings[check].state is State.PROBLEM
    assert findings[check].fix
    for name in CHECKS[at + 1 :]:
        assert findings[name].state is State.UNSEEN
        assert check in findings[name].what
    return findings[check]


def test_a_hop_where_all_is_well(look, server, hop, known_hosts, keys):
    known = known_hosts((server.port, keys.host))
    findings, opened = look(hop(server.port, known))
    assert {found.state for found in findings.values()} == {State.OK}
    assert not any(found.fix for found in findings.values())
    assert findings["greeting"].what.startswith("SSH-2.0-AsyncSSH")
    assert (
        fingerprint(HostKey.from_text(*keys.host.export_public_key().decode().split()[:2])) in findings["host key"].what
    )
    assert findings["host key"].what.endswith(f"known by {known}:1")
    assert findings["login"].what == "as student"
    assert opened.alive


def test_the_open_hop_runs_programs(look, server, hop, known_hosts, keys):
    _, opened = look(hop(server.port, known_hosts((server.port, keys.host))))
    channel = opened.open_shell("echo hello")
    assert channel.receive(10) == b"hello\n"
    assert opened.public_keys == (keys.user.export_public_key().decode().split()[1],)


# --- the first hop ---------------------------------------------------------------------------------------------------


def test_a_name_that_nobody_knows(look, key_file, keys):
    findings, opened = look(Hop("admin1", "no-such-host.invalid", key_files=(key_file(keys.user),)))
    found = _obstacle(findings, "name")
    assert found.what == "the name no-such-host.invalid is not known here"
    assert "`ansible_host` of admin1" in found.fix
    assert opened is None


def test_a_closed_port(look, hop, known_hosts):
    found = _obstacle(look(hop(free_port(), known_hosts()))[0], "way")
    assert "refuses connections on port" in found.what
    assert "check the port" in found.fix


@pytest.mark.parametrize("greeting", [b"", b"220 mail.example.edu ESMTP\r\n"])
def test_a_port_that_is_no_ssh(look, hop, known_hosts, greeting):
    with speaking_server(greeting) as port:
        found = _obstacle(look(hop(port, known_hosts(), connect_timeout_s=0.4))[0], "greeting")
    assert "does not answer like an SSH server" in found.what
    assert "check the port" in found.fix


@openssh
def test_algorithms_of_yesterday(look, hop, known_hosts, keys, key_file, tmp_path):
    options = {"KexAlgorithms": "diffie-hellman-group14-sha1"}
    with openssh_server(tmp_path / "old", key_file(keys.host, "host"), keys.user, **options) as port:
        found = _obstacle(look(hop(port, known_hosts((port, keys.host)), user=USER))[0], "algorithms")
    assert "diffie-hellman-group14-sha1" in found.what
    assert "administrator" in found.fix


# --- the host key ----------------------------------------------------------------------------------------------------


def test_an_unknown_key(look, server, hop, known_hosts):
    found = _obstacle(look(hop(server.port, known_hosts()))[0], "host key")
    assert "is not known" in found.what
    assert found.fix.startswith("provision trust admin1 ")


def test_a_changed_key(look, server, hop, known_hosts, keys):
    known = known_hosts((server.port, keys.other_host))
    found = _obstacle(look(hop(server.port, known))[0], "host key")
    assert "is not the known one" in found.what
    assert f"ssh-keygen -R '[127.0.0.1]:{server.port}' -f {shlex.quote(str(known))}" in found.fix
    assert server.observed.auth_attempts == []


def test_a_revoked_key(look, server, hop, known_hosts, keys):
    line = keys.host.export_public_key().decode()
    found = _obstacle(look(hop(server.port, known_hosts(f"@revoked * {line}")))[0], "host key")
    assert "is revoked" in found.what
    assert "administrator" in found.fix


def test_a_pin_that_does_not_fit(look, server, hop, known_hosts, keys):
    known = known_hosts((server.port, keys.host))
    pin = keys.other_host.export_public_key().decode().strip()
    found = _obstacle(look(hop(server.port, known, host_keys=(pin,)))[0], "host key")
    assert "pinned in the inventory" in found.what
    assert "before you change the inventory" in found.fix


def test_a_pin_that_fits(look, server, hop, known_hosts, keys):
    findings, _ = look(hop(server.port, known_hosts(), host_keys=(keys.host.export_public_key().decode().strip(),)))
    assert findings["host key"].what.endswith("pinned in the inventory")
    assert findings["login"].state is State.OK


def test_a_known_hosts_that_cannot_be_read(look, server, hop, known_hosts, tmp_path):
    found = _obstacle(look(hop(server.port, tmp_path))[0], "host key")
    assert "cannot be read" in found.what


# --- logging in ------------------------------------------------------------------------------------------------------


def test_a_key_that_is_not_authorized(look, server, hop, known_hosts, keys, key_file):
    findings, _ = look(hop(server.port, known_hosts((server.port, keys.host)), key_files=(key_file(keys.stranger),)))
    found = _obstacle(findings, "login")
    assert "does not let user student in" in found.what
    assert "~/.ssh/authorized_keys" in found.fix
    assert findings["methods"].what == "publickey"


def test_a_host_that_takes_no_keys(look, hop, known_hosts, keys, key_file, tmp_path):
    options = {"PubkeyAuthentication": "no", "PasswordAuthentication": "yes"}
    with openssh_server(tmp_path / "it", key_file(keys.host, "host"), keys.user, **options) as port:
        findings, _ = look(hop(port, known_hosts((port, keys.host)), user=USER))
    assert findings["methods"].state is State.WARNING
    assert findings["methods"].what.endswith("no keys")
    assert "takes no keys" in findings["methods"].fix
    _obstacle(findings, "login")


def test_no_key_at_all(look, server, hop, known_hosts, keys):
    found = _obstacle(look(hop(server.port, known_hosts((server.port, keys.host)), key_files=()))[0], "login")
    assert "no key" in found.what
    assert found.fix == "give the account a private key file in the inventory"


def test_a_key_with_a_passphrase_that_nobody_knows(look, server, hop, known_hosts, keys, key_file):
    locked = key_file(keys.user, "locked", passphrase="secret", format_name="pkcs8-pem")
    found = _obstacle(look(hop(server.port, known_hosts((server.port, keys.host)), key_files=(locked,)))[0], "login")
    assert str(locked) in found.what or "passphrase" in found.fix


def test_a_short_rsa_key(look, hop, known_hosts, keys, key_file):
    import asyncssh

    short = asyncssh.generate_private_key("ssh-rsa", key_size=1024)
    with SshServer([keys.host], [short]) as server:
        findings, opened = look(hop(server.port, known_hosts((server.port, keys.host)), key_files=(key_file(short),)))
    assert findings["login"].state is State.WARNING
    assert "only 1024 bits" in findings["login"].what
    assert "own_key: true" in findings["login"].fix
    assert opened is not None


# --- sessions --------------------------------------------------------------------------------------------------------


@openssh
def test_one_session_at_a_time(look, hop, known_hosts, keys, key_file, tmp_path):
    with openssh_server(tmp_path / "it", key_file(keys.host, "host"), keys.user, MaxSessions=1) as port:
        findings, opened = look(hop(port, known_hosts((port, keys.host)), user=USER))
        assert findings["sessions"].state is State.WARNING
        assert "MaxSessions 1" in findings["sessions"].what
        assert "MaxSessions 10" in findings["sessions"].fix
        channel = opened.open_shell("echo one")
        assert channel.receive(10) == b"one\n"


@openssh
def test_no_session_at_all(look, hop, known_hosts, keys, key_file, tmp_path):
    with openssh_server(tmp_path / "it", key_file(keys.host, "host"), keys.user, MaxSessions=0) as port:
        found = _obstacle(look(hop(port, known_hosts((port, keys.host)), user=USER))[0], "sessions")
    assert "it opens no session" in found.what
    assert "MaxSessions above 0" in found.fix


# --- the hop behind it -----------------------------------------------------------------------------------------------


@pytest.fixture
def jump(keys):
    with SshServer([keys.other_host], [keys.user]) as running:
        yield running


@pytest.fixture
def admin(look, jump, hop, known_hosts, keys):
    """The first hop, open."""
    _, opened = look(hop(jump.port, known_hosts((jump.port, keys.other_host), name="known_admin")))
    return opened


def test_a_second_hop_where_all_is_well(look, admin, server, hop, known_hosts, keys):
    behind = hop(server.port, known_hosts((server.port, keys.host)), name="gpu2")
    findings, opened = look(behind, admin)
    assert {found.state for found in findings.values()} == {State.OK}
    assert findings["way"].what == f"admin1 forwards to it, port {server.port} answers"
    assert opened.open_shell("echo there").receive(10) == b"there\n"


@openssh
def test_forwarding_that_is_forbidden(look, server, hop, known_hosts, keys, key_file, tmp_path):
    options = {"AllowTcpForwarding": "no"}
    with openssh_server(tmp_path / "it", key_file(keys.other_host, "host"), keys.user, **options) as port:
        _, admin = look(hop(port, known_hosts((port, keys.other_host), name="known_admin"), user=USER))
        findings, _ = look(hop(server.port, known_hosts((server.port, keys.host)), name="gpu2"), admin)
        assert not admin.forwards()
    found = _obstacle(findings, "way")
    assert "does not allow forwarding" in found.what
    assert "ask the administrator of admin1" in found.fix


@openssh
def test_forwarding_that_is_allowed(look, hop, known_hosts, keys, key_file, tmp_path):
    with openssh_server(tmp_path / "it", key_file(keys.host, "host"), keys.user) as port:
        _, admin = look(hop(port, known_hosts((port, keys.host)), user=USER))
        assert admin.forwards()


def test_a_closed_port_behind_the_jump(look, admin, hop, known_hosts):
    found = _obstacle(look(hop(free_port(), known_hosts(), name="gpu2"), admin)[0], "way")
    assert "cannot be reached from admin1" in found.what
    assert "looked up on admin1" in found.fix


@pytest.mark.parametrize(("resolved", "told"), [("10.0.0.2", "gpu2 is 10.0.0.2 on admin1"), (None, "on admin1")])
def test_a_name_that_the_hop_before_knows(look, admin, keys, key_file, resolved, told):
    findings, _ = look(Hop("gpu2", "gpu2", key_files=(key_file(keys.user),), connect_timeout_s=2), admin, resolved)
    assert findings["name"].state is State.OK
    assert findings["name"].what.endswith(told)


def test_a_name_that_the_hop_before_does_not_know(look, admin, keys, key_file):
    found = _obstacle(look(Hop("gpu2", "gpu02", key_files=(key_file(keys.user),)), admin, "-")[0], "name")
    assert found.what == "the name gpu02 is not known on admin1"
    assert found.fix == "correct `ansible_host` of gpu2 in the inventory"


def test_a_name_that_only_the_server_of_the_hop_before_knows(look, admin, server, keys, key_file, known_hosts):
    """Its programs do not: `getent` says nothing. It forwards all the same."""
    known = known_hosts(f"[localhost]:{server.port} {keys.host.export_public_key().decode()}")
    hop = Hop("gpu2", "localhost", server.port, "student", (key_file(keys.user),), (known,))
    findings, opened = look(hop, admin, "-")
    assert findings["name"].what == "localhost is known to the SSH server of admin1"
    assert opened is not None


def test_a_dead_jump_takes_the_open_hop_along(look, admin, server, hop, known_hosts, keys):
    _, opened = look(hop(server.port, known_hosts((server.port, keys.host)), name="gpu2"), admin)
    admin.close()
    assert not opened.alive
