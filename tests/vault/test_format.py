"""Vaults are read and written as Ansible's documentation describes them."""

import binascii

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scupi_provision.vault.format import VaultFormatError, is_vault, opened, parse, sealed

PASSWORD = b"correct horse"


@given(st.binary(max_size=300), st.sampled_from([None, "default", "prod", "größe"]))
@settings(max_examples=30, deadline=None)
def test_what_is_closed_comes_out_again(content, label):
    envelope = parse(sealed(content, PASSWORD, label))
    assert opened(envelope, PASSWORD) == content
    assert envelope.label == (None if label == "default" else label)


def test_a_label_makes_it_version_1_2():
    assert sealed(b"x", PASSWORD).startswith(b"$ANSIBLE_VAULT;1.1;AES256\n")
    assert sealed(b"x", PASSWORD, "prod").startswith(b"$ANSIBLE_VAULT;1.2;AES256;prod\n")


def test_equal_contents_make_different_vaults():
    assert sealed(b"x", PASSWORD) != sealed(b"x", PASSWORD)
    assert sealed(b"x", PASSWORD, salt=b"s" * 32) == sealed(b"x", PASSWORD, salt=b"s" * 32)


def test_another_password_opens_nothing():
    assert opened(parse(sealed(b"x", PASSWORD)), b"another") is None


def test_a_changed_byte_is_noticed():
    envelope = parse(sealed(b"content", PASSWORD))
    changed = type(envelope)(
        envelope.label, envelope.salt, envelope.mac, bytes([envelope.ciphertext[0] ^ 1]) + envelope.ciphertext[1:]
    )
    assert opened(changed, PASSWORD) is None


def test_lines_may_be_indented_and_end_in_crlf():
    vault = sealed(b"content", PASSWORD)
    assert opened(parse(b"\r\n   ".join(vault.splitlines())), PASSWORD) == b"content"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"hello", "does not begin"),
        (b"$ANSIBLE_VAULT", "first line"),
        (b"$ANSIBLE_VAULT;1.1", "first line"),
        (b"$ANSIBLE_VAULT;1.0;AES\n00", "version '1.0'"),
        (b"$ANSIBLE_VAULT;1.1;ROT13\n00", "cipher 'ROT13'"),
        (b"$ANSIBLE_VAULT;1.1;AES256\n", "not whole"),
        (b"$ANSIBLE_VAULT;1.1;AES256\n0", "pairs of hexadecimal"),
        (b"$ANSIBLE_VAULT;1.1;AES256\nxyzz", "pairs of hexadecimal"),
        (b"$ANSIBLE_VAULT;1.1;AES256\n" + binascii.hexlify(b"00\n11"), "not whole"),
        (b"$ANSIBLE_VAULT;1.1;AES256\n" + binascii.hexlify(b"00\nzz\n22"), "checksum is not made"),
    ],
)
def test_what_is_damaged_is_said(data, said):
    with pytest.raises(VaultFormatError, match=said):
        parse(data)


@given(st.integers(0, 400), st.integers(0, 255))
@settings(max_examples=200, deadline=None)
def test_no_damage_is_a_crash(at, byte):
    """A vault that was cut, or in which one byte was changed, is refused, or opens to what was in it, or not at all."""
    vault = bytearray(sealed(b"content of it", PASSWORD, salt=b"s" * 32))
    vault[at % len(vault)] = byte
    for damaged in (bytes(vault), bytes(vault[: at % len(vault)])):
        _opens_or_refuses(damaged)


@given(st.binary(max_size=200))
@settings(deadline=None)
def test_any_bytes_are_read_or_refused(tail):
    assert not is_vault(b"x" + tail)
    _opens_or_refuses(b"$ANSIBLE_VAULT;1.1;AES256\n" + tail)
    _opens_or_refuses(b"$ANSIBLE_VAULT;1.1;AES256\n" + binascii.hexlify(tail))
    _opens_or_refuses(b"$ANSIBLE_VAULT" + tail)


def _opens_or_refuses(data):
    try:
        content = opened(parse(data), PASSWORD)
    except VaultFormatError:
        return
    assert content in (None, b"content of it")
