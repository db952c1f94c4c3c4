"""A key file that ssh would not use is refused, and the advice given repairs it."""

import os
import shutil
import subprocess

import asyncssh
import pytest
from scupi_provision.access.keys import KeyFormat, check_private_key
from scupi_provision.errors import InputError

ED25519 = asyncssh.generate_private_key("ssh-ed25519")
ECDSA = asyncssh.generate_private_key("ecdsa-sha2-nistp256")
PRIVATE = ED25519.export_private_key("openssh")

needs_ssh_keygen = pytest.mark.skipif(not shutil.which("ssh-keygen"), reason="needs OpenSSH's ssh-keygen")


@pytest.fixture
def key_file(tmp_path):
    def write(content, name="id", mode=0o600):
        path = tmp_path / name
        path.write_bytes(content)
        path.chmod(mode)
        return path

    return write


def _refusal(path):
    with pytest.raises(InputError) as caught:
        check_private_key(path)
    return caught.value.diagnostic


@pytest.mark.parametrize(
    ("content", "form", "needs_passphrase"),
    [
        (PRIVATE, KeyFormat.OPENSSH, False),
        (ED25519.export_private_key("openssh", "secret", rounds=50), KeyFormat.OPENSSH, True),
        (ECDSA.export_private_key("pkcs1-pem"), KeyFormat.EC, False),
        (ECDSA.export_private_key("pkcs1-pem", "secret"), KeyFormat.EC, True),
        (ECDSA.export_private_key("pkcs8-pem"), KeyFormat.PKCS8, False),
        (ECDSA.export_private_key("pkcs8-pem", "secret"), KeyFormat.PKCS8_ENCRYPTED, True),
    ],
    ids=range(6),
)
def test_usable_keys_are_recognised(key_file, content, form, needs_passphrase):
    found = check_private_key(key_file(content))
    assert (found.format, found.needs_passphrase) == (form, needs_passphrase)


def test_a_home_directory_in_the_path_is_expanded(key_file, monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    key_file(PRIVATE)
    assert check_private_key("~/id").path == tmp_path / "id"


def test_a_user_that_does_not_exist_is_said():
    assert "cannot be resolved" in _refusal("~no-such-user-here/id").summary


def test_a_missing_file_is_said_with_the_public_half_beside_it(key_file, tmp_path):
    key_file(ED25519.export_public_key(), "id.pub")
    assert "does not exist; there is" in _refusal(tmp_path / "id").summary
    assert "is not a file" in _refusal(tmp_path).summary


@pytest.mark.skipif(os.name != "posix", reason="Windows has no permission bits")
@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660])
def test_a_key_that_others_can_read_is_refused_as_by_ssh(key_file, mode):
    path = key_file(PRIVATE, mode=mode)
    error = _refusal(path)
    assert f"mode {mode:04o}" in error.summary
    subprocess.run(error.hint, shell=True, check=True)
    check_private_key(path)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b" \n", "is empty"),
        (b"x" * 100_000, "too large"),
        (b"hello\n", "is not a private key"),
        (ED25519.export_public_key(), "is a public key"),
        (ECDSA.export_public_key("pkcs8-pem"), "is a public key"),
        (ED25519.export_public_key("rfc4716"), "is a public key"),
        (b"PuTTY-User-Key-File-3: ssh-ed25519\n", "PuTTY"),
        (PRIVATE.decode().encode("utf-16"), "UTF-16"),
        (b"-----BEGIN DSA PRIVATE KEY-----\nAAAA\n-----END DSA PRIVATE KEY-----\n", "DSA PRIVATE KEY"),
        (PRIVATE[:200], "cut off"),
        (PRIVATE.replace(b"\n", b" "), "lost its line breaks"),
        (PRIVATE.replace(b"b3BlbnNzaC1r", b"b3Bl*****C1r"), "not base64"),
        (PRIVATE.replace(b"b3BlbnNzaC1r", b"b3BlbnNzaC1x"), "header is wrong"),
    ],
    ids=range(14),  # the contents are random, and parallel runs compare the ids
)
def test_what_is_not_a_usable_key_is_named(key_file, content, words):
    error = _refusal(key_file(content))
    assert words in error.summary
    assert error.hint


def test_the_private_half_of_a_public_key_is_suggested(key_file):
    private = key_file(PRIVATE)
    assert f"use {private}" in _refusal(key_file(ED25519.export_public_key(), "id.pub")).hint


@needs_ssh_keygen
@pytest.mark.parametrize(
    "damaged",
    [
        PRIVATE.replace(b"\n", b"\r\n"),
        b"\xef\xbb\xbf" + PRIVATE,
        b"\n" + PRIVATE,
        b"here is your key:\n" + PRIVATE,
        PRIVATE.rstrip(),
    ],
    ids=["windows line ends", "byte order mark", "blank line", "text", "no last line break"],
)
def test_damage_is_what_openssh_refuses_and_the_hint_repairs_it(key_file, damaged):
    path = key_file(damaged)
    assert not _openssh_reads(path)
    subprocess.run(_refusal(path).hint, shell=True, check=True)
    assert _openssh_reads(path)
    check_private_key(path)


@needs_ssh_keygen
def test_what_openssh_tolerates_is_tolerated(key_file):
    windows_pem = key_file(ECDSA.export_private_key("pkcs8-pem").replace(b"\n", b"\r\n"))
    trailing = key_file(PRIVATE + b"\n# my key\n", "trailing")
    for path in (windows_pem, trailing):
        assert _openssh_reads(path)
        check_private_key(path)


def _openssh_reads(path):
    return subprocess.run(["ssh-keygen", "-y", "-f", path], capture_output=True, check=False).returncode == 0
