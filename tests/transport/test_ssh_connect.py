"""Connecting over one and two hops: who is let in, who is refused, and what the user is told."""

import pytest
from loopback import Proxy, SshServer, free_port, speaking_server
from scupi_provision.errors import AuthenticationError, HostKeyError, InputError, UnreachableError
from scupi_provision.transport.ssh import connect
from scupi_provision.values import Secret


def _output_of(transport, command):
    channel = transport.open_shell(command)
    output = b""
    while data := channel.receive(10):
        output += data
    channel.close()
    return output


@pytest.fixture
def server(keys):
    with SshServer([keys.host], [keys.user, keys.user_rsa, keys.user_ecdsa]) as running:
        yield running


@pytest.fixture
def jump(keys):
    with SshServer([keys.other_host], [keys.user]) as running:
        yield running


def _refusal(route, error_class=UnreachableError):
    with pytest.raises(error_class) as caught:
        connect(route).close()
    return caught.value


@pytest.mark.parametrize("name", ["user", "user_rsa", "user_ecdsa"])
def test_each_kind_of_key_logs_in(server, hop, known_hosts, keys, key_file, name):
    known = known_hosts((server.port, keys.host))
    transport = connect((hop(server.port, known, key_files=(key_file(getattr(keys, name)),)),))
    assert transport.alive
    assert _output_of(transport, "echo hello") == b"hello\n"
    transport.close()
    assert not transport.alive


def test_two_hops_are_both_verified(server, jump, hop, known_hosts, keys):
    known = known_hosts((server.port, keys.host), (jump.port, keys.other_host))
    transport = connect((hop(jump.port, known), hop(server.port, known, name="gpu2")))
    assert _output_of(transport, "echo there") == b"there\n"
    transport.close()
    assert jump.observed.connections == server.observed.connections == 1


def _both_fingerprints(error, first, second):
    return first.get_fingerprint() in error.diagnostic.detail and second.get_fingerprint() in error.diagnostic.detail


def test_a_swapped_key_is_refused_before_authentication(server, hop, known_hosts, keys):
    known = known_hosts((server.port, keys.stranger))
    error = _refusal((hop(server.port, known),), HostKeyError)
    assert server.observed.connections == 1
    assert server.observed.auth_attempts == []
    assert "admin1" in error.diagnostic.summary
    assert _both_fingerprints(error, keys.host, keys.stranger)
    assert f"{known}:1" in error.diagnostic.detail
    assert f"ssh-keygen -R '[127.0.0.1]:{server.port}'" in error.diagnostic.hint
    assert error.exit_code == 3


def test_a_swapped_key_behind_the_jump_is_refused_and_named(server, jump, hop, known_hosts, keys):
    known = known_hosts((server.port, keys.stranger), (jump.port, keys.other_host))
    error = _refusal((hop(jump.port, known), hop(server.port, known, name="gpu2")), HostKeyError)
    assert server.observed.auth_attempts == []
    assert "gpu2" in error.diagnostic.summary
    assert _both_fingerprints(error, keys.host, keys.stranger)


def test_a_swapped_key_of_the_jump_stops_the_way_there(server, jump, hop, known_hosts, keys):
    known = known_hosts((server.port, keys.host), (jump.port, keys.stranger))
    error = _refusal((hop(jump.port, known), hop(server.port, known, name="gpu2")), HostKeyError)
    assert "admin1" in error.diagnostic.summary
    assert jump.observed.auth_attempts == []
    assert server.observed.connections == 0


def test_an_unknown_host_is_refused_with_the_command_that_would_trust_it(server, hop, known_hosts, keys):
    error = _refusal((hop(server.port, known_hosts()),), HostKeyError)
    assert server.observed.auth_attempts == []
    assert keys.host.get_fingerprint() in error.diagnostic.detail
    assert error.diagnostic.hint.endswith("if it is the same: provision trust admin1")


def test_a_revoked_key_is_refused_even_when_it_is_pinned(server, hop, known_hosts, keys):
    public = keys.host.export_public_key().decode()
    known = known_hosts(f"@revoked * {public}\n", (server.port, keys.host))
    error = _refusal((hop(server.port, known, host_keys=(public,)),), HostKeyError)
    assert "revoked" in error.diagnostic.summary
    assert server.observed.auth_attempts == []


def test_a_certificate_authority_alone_is_a_clear_refusal(server, hop, known_hosts, keys):
    known = known_hosts(f"@cert-authority * {keys.stranger.export_public_key().decode()}")
    error = _refusal((hop(server.port, known),), HostKeyError)
    assert "certificate authorities" in error.diagnostic.detail


def test_a_host_known_by_rsa_is_asked_for_rsa(hop, known_hosts, keys):
    with SshServer([keys.host, keys.host_rsa], [keys.user]) as server:
        connect((hop(server.port, known_hosts((server.port, keys.host_rsa))),)).close()


def test_a_host_known_by_another_type_only_is_refused_as_changed(server, hop, known_hosts, keys):
    error = _refusal((hop(server.port, known_hosts((server.port, keys.host_rsa))),), HostKeyError)
    assert "is not the known one" in error.diagnostic.summary
    assert _both_fingerprints(error, keys.host, keys.host_rsa)


def test_pinned_keys_replace_known_hosts(server, hop, known_hosts, keys):
    wrong = known_hosts((server.port, keys.stranger))
    for pin in (keys.host.get_fingerprint(), keys.host.export_public_key().decode()):
        connect((hop(server.port, wrong, host_keys=(pin,)),)).close()
    right = known_hosts((server.port, keys.host))
    error = _refusal((hop(server.port, right, host_keys=(keys.stranger.get_fingerprint(),)),), HostKeyError)
    assert _both_fingerprints(error, keys.host, keys.stranger)


def test_known_hosts_that_cannot_be_read_refuses(server, hop, tmp_path):
    error = _refusal((hop(server.port, tmp_path),), HostKeyError)
    assert "cannot be read" in error.diagnostic.summary
    assert server.observed.connections == 0


def test_a_rejected_key_is_named_with_what_the_server_allows(hop, known_hosts, keys, key_file):
    with SshServer([keys.host], [keys.user], password="other") as server:
        path = key_file(keys.stranger, "stranger")
        known = known_hosts((server.port, keys.host))
        error = _refusal((hop(server.port, known, key_files=(path,)),), AuthenticationError)
    assert keys.stranger.get_fingerprint() in error.diagnostic.detail
    assert str(path) in error.diagnostic.detail
    assert "server allows: publickey, keyboard-interactive, password" in error.diagnostic.detail
    assert "student" in error.diagnostic.summary


def test_the_second_key_is_tried(server, hop, known_hosts, keys, key_file):
    files = (key_file(keys.stranger, "first"), key_file(keys.user, "second"))
    connect((hop(server.port, known_hosts((server.port, keys.host)), key_files=files),)).close()


@pytest.mark.parametrize("form", ["openssh", "pkcs1-pem", "pkcs8-pem"])
def test_a_key_with_a_passphrase_logs_in(server, hop, known_hosts, keys, key_file, form):
    options = {} if form == "openssh" else {"format_name": form}
    path = key_file(keys.user_rsa, passphrase="open sesame", **options)
    known = known_hosts((server.port, keys.host))
    connect((hop(server.port, known, key_files=(path,), password=Secret("open sesame")),)).close()


def test_a_missing_or_wrong_passphrase_is_said_before_any_connection(server, hop, known_hosts, keys, key_file):
    path = key_file(keys.user, passphrase="open sesame")
    known = known_hosts((server.port, keys.host))
    missing = _refusal((hop(server.port, known, key_files=(path,)),), InputError)
    wrong = _refusal((hop(server.port, known, key_files=(path,), password=Secret("guess")),), InputError)
    assert "no passphrase was given" in missing.diagnostic.summary
    assert "passphrase is wrong" in wrong.diagnostic.summary
    assert "guess" not in str(wrong)
    assert server.observed.connections == 0


def test_a_passphrase_is_not_sent_to_the_host(hop, known_hosts, keys, key_file):
    with SshServer([keys.host], [], password="open sesame") as server:
        path = key_file(keys.user, passphrase="open sesame")
        known = known_hosts((server.port, keys.host))
        _refusal((hop(server.port, known, key_files=(path,), password=Secret("open sesame")),), AuthenticationError)


def test_a_password_logs_in(hop, known_hosts, keys):
    with SshServer([keys.host], [], password="letmein") as server:
        known = known_hosts((server.port, keys.host))
        connect((hop(server.port, known, key_files=(), password=Secret("letmein")),)).close()
        error = _refusal((hop(server.port, known, key_files=(), password=Secret("wrong1")),), AuthenticationError)
    assert "wrong1" not in str(error) + error.diagnostic.detail


@pytest.mark.parametrize("content", [b"", b"ssh-ed25519 AAAA me@here", b"\x00\xff garbage", None])
def test_a_useless_key_file_is_named(hop, known_hosts, tmp_path, content):
    path = tmp_path / "broken"
    if content is not None:
        path.write_bytes(content)
    error = _refusal((hop(free_port(), known_hosts(), key_files=(path,)),), InputError)
    assert str(path) in error.diagnostic.summary


def test_no_way_to_log_in_is_bad_input(hop, known_hosts):
    _refusal((hop(free_port(), known_hosts(), key_files=()),), InputError)


def test_a_closed_port_is_refused_connections(hop, known_hosts):
    error = _refusal((hop(free_port(), known_hosts()),))
    assert "refuses connections" in error.diagnostic.summary


def test_an_unknown_name_is_said(hop, known_hosts, keys, key_file):
    from scupi_provision.transport.base import Hop

    error = _refusal((Hop("admin1", "no-such-host.invalid", key_files=(key_file(keys.user),)),))
    assert "is not known here" in error.diagnostic.summary


@pytest.mark.parametrize("greeting", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\xff\xfe\x00\n" * 200])
def test_a_server_that_is_not_ssh_is_said(hop, known_hosts, greeting):
    with speaking_server(greeting) as port:
        error = _refusal((hop(port, known_hosts(), connect_timeout_s=0.4),))
    assert "does not answer like an SSH server" in error.diagnostic.summary


def test_a_server_that_greets_and_falls_silent_is_given_up(hop, known_hosts):
    with speaking_server(b"SSH-2.0-Silence\r\n") as port:
        error = _refusal((hop(port, known_hosts(), connect_timeout_s=0.4),))
    assert "no session within 0.4 s" in error.diagnostic.detail


def test_only_unsafe_algorithms_are_refused_by_name(hop, known_hosts, keys):
    with SshServer(
        [keys.host], [keys.user], mac_algs=["hmac-md5", "hmac-sha1"], encryption_algs=["aes256-ctr"]
    ) as server:
        error = _refusal((hop(server.port, known_hosts((server.port, keys.host))),))
        assert server.observed.auth_attempts == []
    assert "no longer safe" in error.diagnostic.summary
    assert "hmac-md5" in error.diagnostic.detail


def test_a_jump_that_forbids_forwarding_is_explained(server, hop, known_hosts, keys):
    with SshServer([keys.other_host], [keys.user], forwarding=False) as jump:
        known = known_hosts((server.port, keys.host), (jump.port, keys.other_host))
        error = _refusal((hop(jump.port, known), hop(server.port, known, name="gpu2", reach="jump")))
    assert "admin1" in error.diagnostic.summary
    assert "does not allow forwarding" in error.diagnostic.summary
    assert "forwarding is off here" in error.diagnostic.detail
    assert server.observed.connections == 0


def test_a_target_that_the_jump_cannot_reach_is_explained(jump, hop, known_hosts, keys):
    known = known_hosts((jump.port, keys.other_host))
    error = _refusal((hop(jump.port, known), hop(free_port(), known, name="gpu2")))
    assert "gpu2" in error.diagnostic.summary
    assert "cannot be reached from admin1" in error.diagnostic.summary


def test_nothing_is_printed_by_the_ssh_library(server, hop, known_hosts, keys, capfd):
    _refusal((hop(server.port, known_hosts((server.port, keys.stranger))),), HostKeyError)
    _refusal((hop(free_port(), known_hosts()),))
    with speaking_server(b"HTTP/1.1 400\n" * 200) as port:
        _refusal((hop(port, known_hosts(), connect_timeout_s=0.4),))
    assert capfd.readouterr() == ("", "")


def test_the_user_s_own_ssh_configuration_is_not_read(server, hop, known_hosts, keys, tmp_path, monkeypatch):
    (tmp_path / ".ssh").mkdir()
    (tmp_path / ".ssh" / "config").write_text("Host *\n  HostName 192.0.2.1\n  User nobody\n  ProxyCommand false\n")
    (tmp_path / ".fabric.yaml").write_text("connect_kwargs: {bad: 1}\nforward_agent: true\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    connect((hop(server.port, known_hosts((server.port, keys.host))),)).close()
    assert server.observed.auth_attempts == ["student"]


def test_closing_is_idempotent_and_quick_on_a_frozen_link(server, hop, known_hosts, keys):
    with Proxy(server.port) as proxy:
        transport = connect((hop(proxy.port, known_hosts((proxy.port, keys.host))),))
        proxy.freeze()
        transport.close()
        transport.close()
        with pytest.raises(UnreachableError):
            transport.open_shell("true")
