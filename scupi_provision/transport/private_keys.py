"""Private key files to keys that paramiko signs with: read by `cryptography`, which knows every format in use.

Paramiko's own readers try every key class on every file and report whatever the last one said, and know no PKCS#8.
"""

from __future__ import annotations

import base64
import binascii
import io
import re
from typing import Any

import paramiko

_OPENSSH = re.compile(rb"-----BEGIN OPENSSH PRIVATE KEY-----(.*?)-----END", re.DOTALL)
_MAGIC = b"openssh-key-v1\0"


class PassphraseNeededError(Exception):
    """The key is encrypted, and no passphrase was given."""


class WrongPassphraseError(Exception):
    """The key is encrypted, and not with this passphrase."""


class UnsupportedKeyError(Exception):
    """It is a key, but of a type that is not used to log in any more."""


def parse_private_key(content: bytes, passphrase: str | None) -> paramiko.PKey:
    """The key in `content`.

    Raises:
        ValueError: It is no private key in a format that we know.
        PassphraseNeededError: It is encrypted, and `passphrase` is None.
        WrongPassphraseError: It is encrypted otherwise.
        UnsupportedKeyError: Its type is not supported.
    """
    try:
        loaded = _parse(content, None)
    except TypeError as error:  # this is how `cryptography` says "encrypted"
        if passphrase is None:
            raise PassphraseNeededError from error
        loaded = _decrypt(content, passphrase)
    try:
        return _as_paramiko(loaded)
    except (paramiko.SSHException, ValueError) as error:
        raise UnsupportedKeyError(str(error)) from error


def public_half(content: bytes, beside: bytes = b"") -> paramiko.PKey | None:
    """The public half of an encrypted key: in the open in OpenSSH's format, for others from `beside`, the .pub file."""
    fields = beside.split()
    blob = _public_blob(content) or (_decoded(fields[1]) if len(fields) > 1 else b"")
    size = int.from_bytes(blob[:4], "big")
    try:
        return paramiko.PKey.from_type_string(blob[4 : 4 + size].decode("ascii"), blob)
    except (paramiko.SSHException, paramiko.pkey.UnknownKeyType, ValueError):
        return None  # damaged, or a type that paramiko does not sign with


def _public_blob(content: bytes) -> bytes:
    """PROTOCOL.key of OpenSSH: magic, cipher, kdf, kdf options, number of keys, public key."""
    found = _OPENSSH.search(content)
    rest = _decoded(b"".join(found[1].split())).removeprefix(_MAGIC) if found else b""
    for _ in ("cipher", "kdf", "kdf options"):
        rest = rest[4 + int.from_bytes(rest[:4], "big") :]
    rest = rest[4:]
    return rest[4 : 4 + int.from_bytes(rest[:4], "big")]


def _decoded(text: bytes) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        return b""


def _decrypt(content: bytes, passphrase: str) -> Any:
    try:
        return _parse(content, passphrase.encode())
    except (ValueError, TypeError):
        raise WrongPassphraseError from None  # the exception's frames hold the passphrase


def _parse(content: bytes, passphrase: bytes | None) -> Any:
    """Raises TypeError when a passphrase is needed, ValueError for everything else."""
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415 - slow to import
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415 - slow to import

    try:
        if b"BEGIN OPENSSH PRIVATE KEY" in content:
            return serialization.load_ssh_private_key(content, passphrase)
        return serialization.load_pem_private_key(content, passphrase)
    except UnsupportedAlgorithm as error:
        raise ValueError(str(error)) from error


def _as_paramiko(loaded: Any) -> paramiko.PKey:
    """Hand the key over in the one format that all paramiko classes read, unencrypted and only in memory."""
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415 - slow to import
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa  # noqa: PLC0415 - slow to import

    classes: tuple[tuple[Any, type[paramiko.PKey]], ...] = (
        (ed25519.Ed25519PrivateKey, paramiko.Ed25519Key),
        (ec.EllipticCurvePrivateKey, paramiko.ECDSAKey),
        (rsa.RSAPrivateKey, paramiko.RSAKey),
    )
    for theirs, ours in classes:
        if isinstance(loaded, theirs):
            text = loaded.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
            )
            return ours.from_private_key(io.StringIO(text.decode()))
    raise ValueError(type(loaded).__name__)
