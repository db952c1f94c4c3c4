"""Ansible's vault format, versions 1.1 and 1.2: bytes in, bytes out.

A vault is a line `$ANSIBLE_VAULT;1.1;AES256` (1.2 has a fourth field, the vault id) and lines of hexadecimal digits.
These hold three lines, again in hexadecimal: the salt, HMAC-SHA256 of the ciphertext, and the ciphertext (AES-256-CTR,
PKCS#7 padding). Source: docs.ansible.com, "Encrypting content with Ansible Vault", "Format of files encrypted with
Ansible Vault".
"""

from __future__ import annotations

import binascii
import functools
import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.hmac import HMAC

HEADER = b"$ANSIBLE_VAULT"
_CIPHER = "AES256"
_VERSIONS = ("1.1", "1.2")
_ITERATIONS = 10_000
"""Of PBKDF2-HMAC-SHA256, as the format has it."""
_KEY_BYTES = 32
_BLOCK_BYTES = 16
_SALT_BYTES = 32
_LINE = 80
_HEXADECIMAL = re.compile(rb"(?:[0-9a-fA-F]{2})*")


class VaultFormatError(Exception):
    """These bytes are no vault that can be read; the message says what is wrong with them."""


@dataclass(frozen=True)
class Envelope:
    """What can be told of a vault without a password.

    Attributes:
        label: The vault id that its header names, or None. A hint: nothing proves it.
        salt: What the key was derived with.
        mac: HMAC-SHA256 of the ciphertext.
        ciphertext: The content.
    """

    label: str | None
    salt: bytes
    mac: bytes
    ciphertext: bytes


def is_vault(data: bytes) -> bool:
    """Whether `data` begins as a vault does."""
    return data.startswith(HEADER)


def parse(data: bytes) -> Envelope:
    """The parts of a vault; the indentation that YAML needs, CRLF and lines at the end do not matter.

    Raises:
        VaultFormatError: It is damaged, or of a version or cipher that is not known.
    """
    if not is_vault(data):
        raise VaultFormatError("it does not begin with $ANSIBLE_VAULT")
    first, *lines = data.strip().splitlines()
    label = _label(first.decode("utf-8", "replace").strip().split(";"))
    body = _unhex(b"".join(line.strip() for line in lines), "its text")
    parts = body.split(b"\n")
    if len(parts) != 3 or not all(parts):
        raise VaultFormatError("it is not whole: salt, checksum and content are expected in it")
    salt, mac, ciphertext = (
        _unhex(part, what) for part, what in zip(parts, ("salt", "checksum", "content"), strict=True)
    )
    return Envelope(label, salt, mac, ciphertext)


def _label(fields: list[str]) -> str | None:
    if len(fields) < 3:
        raise VaultFormatError("its first line is not whole: $ANSIBLE_VAULT;VERSION;CIPHER is expected")
    version, cipher = fields[1].strip(), fields[2].strip()
    if version not in _VERSIONS:
        raise VaultFormatError(f"version {version!r} of the format is not known, only {' and '.join(_VERSIONS)}")
    if cipher != _CIPHER:
        raise VaultFormatError(f"the cipher {cipher!r} is not known, only {_CIPHER}")
    return (fields[3].strip() or None) if len(fields) > 3 else None


def _unhex(digits: bytes, what: str) -> bytes:
    if not _HEXADECIMAL.fullmatch(digits):
        raise VaultFormatError(f"{what} is not made of pairs of hexadecimal digits")
    return binascii.unhexlify(digits)


def opened(envelope: Envelope, password: bytes) -> bytes | None:
    """The content of the vault, or None when it was closed with another password (or was changed since)."""
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415 - start-up time: most runs open no vault
    from cryptography.hazmat.primitives import padding  # noqa: PLC0415
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes  # noqa: PLC0415

    keys = _derived(password, envelope.salt)
    try:
        _hmac(keys.mac, envelope.ciphertext).verify(envelope.mac)
    except InvalidSignature:
        return None
    decryptor = Cipher(algorithms.AES(keys.content), modes.CTR(keys.counter)).decryptor()
    unpadder = padding.PKCS7(_BLOCK_BYTES * 8).unpadder()
    padded = decryptor.update(envelope.ciphertext) + decryptor.finalize()
    try:
        return unpadder.update(padded) + unpadder.finalize()
    except ValueError as error:  # whoever has the password has closed it without padding
        raise VaultFormatError("its content is not padded as the format says") from error


def sealed(content: bytes, password: bytes, label: str | None = None, salt: bytes | None = None) -> bytes:
    """`content` as a vault, ending in a line feed.

    Args:
        content: Any bytes.
        password: As it was read, without line breaks at its end.
        label: The vault id for the header; None or "default" gives version 1.1, which has none.
        salt: Only for tests; random when not given, so that equal contents cannot be told.
    """
    from cryptography.hazmat.primitives import padding  # noqa: PLC0415 - as `opened`
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes  # noqa: PLC0415

    salt = os.urandom(_SALT_BYTES) if salt is None else salt
    keys = _derived(password, salt)
    padder = padding.PKCS7(_BLOCK_BYTES * 8).padder()
    encryptor = Cipher(algorithms.AES(keys.content), modes.CTR(keys.counter)).encryptor()
    ciphertext = encryptor.update(padder.update(content) + padder.finalize()) + encryptor.finalize()
    mac = _hmac(keys.mac, ciphertext).finalize()
    digits = b"\n".join(map(binascii.hexlify, (salt, mac, ciphertext)))
    text = binascii.hexlify(digits)
    named = label is not None and label != "default"
    header = f"$ANSIBLE_VAULT;1.2;{_CIPHER};{label}" if named else f"$ANSIBLE_VAULT;1.1;{_CIPHER}"
    lines = [header.encode(), *(text[at : at + _LINE] for at in range(0, len(text), _LINE))]
    return b"\n".join(lines) + b"\n"


@dataclass(frozen=True)
class _Keys:
    content: bytes
    mac: bytes
    counter: bytes


@functools.lru_cache(maxsize=64)
def _derived(password: bytes, salt: bytes) -> _Keys:
    """Key, key of the checksum, and first counter; deriving them costs milliseconds, and files are read again."""
    from cryptography.hazmat.primitives import hashes  # noqa: PLC0415 - as `opened`
    from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC  # noqa: PLC0415

    size = 2 * _KEY_BYTES + _BLOCK_BYTES
    made = PBKDF2HMAC(hashes.SHA256(), length=size, salt=salt, iterations=_ITERATIONS).derive(password)
    return _Keys(made[:_KEY_BYTES], made[_KEY_BYTES : 2 * _KEY_BYTES], made[2 * _KEY_BYTES :])


def _hmac(key: bytes, ciphertext: bytes) -> HMAC:
    from cryptography.hazmat.primitives import hashes, hmac  # noqa: PLC0415 - as `opened`

    made = hmac.HMAC(key, hashes.SHA256())
    made.update(ciphertext)
    return made
