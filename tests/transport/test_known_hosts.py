"""known_hosts means to us what it means to OpenSSH: the verdicts here are those of `ssh` 9.2 for the same files."""

import shutil
import subprocess

import asyncssh
import paramiko
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scupi_provision.transport.known_hosts import (
    HostKey,
    KnownHosts,
    Marker,
    Standing,
    fingerprint,
    parse_known_hosts,
    spelled,
)


def _key(seed: int) -> HostKey:
    """A well-formed ed25519 public key; known_hosts never looks inside."""
    return HostKey("ssh-ed25519", b"\0\0\0\x0bssh-ed25519\0\0\0\x20" + bytes([seed]) * 32)


def _rsa() -> HostKey:
    return HostKey("ssh-rsa", b"\0\0\0\x07ssh-rsa\0\0\0\x03\x01\0\x01\0\0\0\x04\x7f\x01\x02\x03")


OURS, OTHER, RSA = _key(1), _key(2), _rsa()


def _standing(text: str, host: str = "127.0.0.1", port: int = 2299) -> Standing:
    return parse_known_hosts(text, "known_hosts").lookup(host, port, OURS).standing


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", Standing.UNKNOWN),
        (f"[127.0.0.1]:2299 {OURS.text}", Standing.ACCEPTED),
        (f"127.0.0.1 {OURS.text}", Standing.ACCEPTED),
        (f"127.0.0.1 {OTHER.text}", Standing.UNKNOWN),
        (f"@revoked 127.0.0.1 {OURS.text}", Standing.REVOKED),
        (f"@revoked * {OURS.text}\n[127.0.0.1]:2299 {OURS.text}", Standing.REVOKED),
        (f"[127.0.0.1]:2299 {OURS.text}\n@revoked * {RSA.text}", Standing.ACCEPTED),
        (f"[127.0.0.1]:2299 {OTHER.text}\n127.0.0.1 {OURS.text}", Standing.CHANGED),
        (f"[127.0.0.1]:2299 {RSA.text}", Standing.CHANGED),
        (f"[127.0.0.1]:2299 {OTHER.text}\n[127.0.0.1]:2299 {OURS.text}", Standing.ACCEPTED),
        (f"[127.*]:* {OURS.text}", Standing.ACCEPTED),
        (f"[127.0.0.?]:2299 {OURS.text}", Standing.ACCEPTED),
        (f"[127.0.0.?]:2298 {OURS.text}", Standing.UNKNOWN),
        (f"[*]:2299,![127.*]:2299 {OURS.text}", Standing.UNKNOWN),
        (f"![127.*]:2299,[*]:2299 {OURS.text}", Standing.UNKNOWN),
        (f"!other {OURS.text}", Standing.UNKNOWN),
        (f"x,,[127.0.0.1]:2299, {OURS.text}", Standing.ACCEPTED),
        (f"  [127.0.0.1]:2299\t{OURS.text}  a comment # more", Standing.ACCEPTED),
        (f"[127.0.0.1]:2299 {OURS.text}\r\n", Standing.ACCEPTED),
        (f"# [127.0.0.1]:2299 {OURS.text}", Standing.UNKNOWN),
        (f"@cert-authority * {OURS.text}", Standing.UNKNOWN),
        (f"@revoked @cert-authority * {OURS.text}", Standing.UNKNOWN),
        (f"@unheard-of * {OURS.text}", Standing.UNKNOWN),
        (f"[127.0.0.1]:2299 ssh-rsa {OURS.text.split()[1]}", Standing.UNKNOWN),
        (f"[127.0.0.1]:2299 {OURS.text[:-3]}", Standing.UNKNOWN),
        (f"[127.0.0.1]:2299 {OURS.text.replace('ssh-ed25519', 'ssh-dss')}", Standing.UNKNOWN),
        ("[127.0.0.1]:2299 1024 35 1234567890", Standing.UNKNOWN),
    ],
)
def test_verdict_of_a_file(text, expected):
    assert _standing(text) is expected


def test_names_are_compared_without_case():
    assert _standing(f"[LOCALhost]:2299 {OURS.text}", "LocalHOST") is Standing.ACCEPTED


def test_port_22_is_spelled_without_brackets():
    assert spelled("Admin1", 22) == "admin1"
    assert _standing(f"admin1 {OURS.text}", "admin1", 22) is Standing.ACCEPTED


def test_revocation_behind_a_byte_order_mark_is_enforced():
    assert _standing(f"\ufeff@revoked * {OURS.text}") is Standing.REVOKED


def test_authorities_are_reported_when_nothing_else_is_known():
    verdict = parse_known_hosts(f"@cert-authority *.edu {OTHER.text}", "f").lookup("gpu2.edu", 22, OURS)
    assert verdict.standing is Standing.UNKNOWN
    assert [line.marker for line in verdict.evidence] == [Marker.AUTHORITY]


def test_evidence_names_file_and_line():
    verdict = parse_known_hosts(f"\n# x\nhost {OTHER.text}", "/etc/known").lookup("host", 22, OURS)
    assert [(line.file, line.line) for line in verdict.evidence] == [("/etc/known", 3)]


def test_skipped_lines_are_warned_about_with_their_place():
    known = parse_known_hosts(f"nonsense\nhost {OURS.text}\n@odd host {OURS.text}", "f")
    assert len(known.entries) == 1
    assert [warning.split(": ")[0] for warning in known.warnings] == ["f:1", "f:3"]


def test_kinds_of_a_host_come_in_file_order_without_repeats():
    known = parse_known_hosts(f"a {RSA.text}\na {OTHER.text}\na,b {RSA.text}\n@revoked a {OURS.text}", "f")
    assert known.kinds("a", 22) == ("ssh-rsa", "ssh-ed25519")
    assert known.kinds("b", 2222) == ("ssh-rsa",)
    assert known.kinds("c", 22) == ()


def test_revocation_in_one_file_counts_against_another():
    files = [parse_known_hosts(f"a {OURS.text}", "user"), parse_known_hosts(f"@revoked * {OURS.text}", "global")]
    assert KnownHosts.joined(files).lookup("a", 22, OURS).standing is Standing.REVOKED


@pytest.mark.skipif(not shutil.which("ssh-keygen"), reason="needs OpenSSH's ssh-keygen")
def test_names_hashed_by_openssh_are_found(tmp_path):
    file = tmp_path / "known_hosts"
    file.write_text(f"admin1 {OTHER.text}\n[127.0.0.1]:2299 {OURS.text}\n")
    subprocess.run(["ssh-keygen", "-q", "-H", "-f", file], check=True, capture_output=True)
    assert "127.0.0.1" not in file.read_text()
    assert _standing(file.read_text()) is Standing.ACCEPTED
    assert _standing(file.read_text(), "admin1", 22) is Standing.CHANGED
    assert _standing(file.read_text().replace("|1|", "x,|1|")) is Standing.UNKNOWN


@pytest.mark.skipif(not shutil.which("ssh-keygen"), reason="needs OpenSSH's ssh-keygen")
def test_fingerprint_is_openssh_s(tmp_path):
    file = tmp_path / "key.pub"
    file.write_text(OURS.text + "\n")
    listed = subprocess.run(["ssh-keygen", "-l", "-f", file], check=True, capture_output=True, text=True).stdout
    assert fingerprint(OURS) == listed.split()[1]


@given(
    st.text() | st.lists(st.sampled_from(["@revoked", "|1|", "*", "!", ",", " ", OURS.text, "\n", "a"])).map("".join)
)
def test_any_text_is_read_without_an_exception(text):
    known = parse_known_hosts(text, "f")
    known.lookup("a", 22, OURS)
    known.kinds("a", 2222)


_POINT = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")  # RFC 8032, test 1
_PARAMIKO_KEY = paramiko.Ed25519Key(data=OURS.blob[:-32] + _POINT)
_NAMES = st.from_regex(r"[a-z0-9][a-z0-9.-]{0,20}", fullmatch=True)


@given(_NAMES, st.booleans())
def test_a_line_that_paramiko_writes_is_read_back(name, hashed):
    shown = paramiko.HostKeys.hash_host(name) if hashed else name
    line = paramiko.hostkeys.HostKeyEntry([shown], _PARAMIKO_KEY).to_line()
    known = parse_known_hosts(line, "f")
    assert known.warnings == ()
    assert known.lookup(name, 22, HostKey("ssh-ed25519", _PARAMIKO_KEY.asbytes())).standing is Standing.ACCEPTED


def test_keys_that_asyncssh_makes_are_read_back():
    for algorithm in ("ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp521"):
        made = asyncssh.generate_private_key(algorithm)
        known = parse_known_hosts(f"a {made.export_public_key().decode()}", "f")
        key = HostKey(algorithm, made.public_data)
        assert known.lookup("a", 22, key).standing is Standing.ACCEPTED
        assert fingerprint(key) == made.get_fingerprint()


def test_a_hostile_pattern_is_matched_in_no_time():
    pattern = "*a" * 400 + "b"
    assert _standing(f"{pattern} {OURS.text}", "a" * 250, 22) is Standing.UNKNOWN
