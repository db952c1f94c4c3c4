"""A key as a web page or a colleague gave it, made into what ssh wants. The file it is from is never changed."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scupi_provision.access.keys import KeyFormat, check_content, expand, read_key_file
from scupi_provision.errors import InputError

_BOM = b"\xef\xbb\xbf"
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_ARMOURED = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----.*?-----END \1-----", re.DOTALL)
_LEAST_RSA_BITS = 1024
"""Shorter ones are refused by OpenSSH ("Invalid key length"; SSH_RSA_MINIMUM_MODULUS_SIZE in its sshkey.h)."""


@dataclass(frozen=True)
class DownloadedKey:
    """A private key ready to be kept.

    Attributes:
        path: Where it is from.
        content: What to keep; never shown.
        repairs: What is different from the file, in words.
        needs_passphrase: Whether it is encrypted; then nothing inside has been looked at.
        public: Its public half as a line of authorized_keys, without a comment; "" when it is encrypted.
    """

    path: Path
    content: bytes
    repairs: tuple[str, ...] = ()
    needs_passphrase: bool = False
    public: str = ""

    def __repr__(self) -> str:
        return f"DownloadedKey({self.path})"

    @property
    def fingerprint(self) -> str:
        """As `ssh-keygen -l` writes it; "" when the key is encrypted."""
        return fingerprint(self.public) if self.public else ""


def read_downloaded(path: Path | str) -> DownloadedKey:
    """Read a private key and repair what can be repaired without guessing.

    Raises:
        InputError: It is no private key that ssh can use; says what it is, and what to do.
    """
    expanded = expand(path)
    content, repairs = _cleaned(read_key_file(expanded))
    found = check_content(expanded, content)
    if found.needs_passphrase:
        return DownloadedKey(expanded, content, tuple(repairs), needs_passphrase=True)
    key = _parsed(expanded, content)
    if found.format is KeyFormat.PKCS8:
        content = _in_openssh_format(key)
        repairs.append("written in OpenSSH's format (it was PKCS#8, which some ssh programs do not read)")
    return DownloadedKey(expanded, content, tuple(repairs), public=_public_line(key))


def is_same_key(one: bytes, other: bytes) -> bool:
    """Whether two private key files hold the same key, in whatever format; encrypted ones are compared as they are."""
    if one == other:
        return True
    try:
        return _public_line(_loaded(one)) == _public_line(_loaded(other))
    except (ValueError, TypeError):
        return False


def fingerprint(public: str) -> str:
    """`SHA256:…` of a line of authorized_keys."""
    digest = hashlib.sha256(base64.b64decode(public.split()[1])).digest()
    return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")


def _cleaned(content: bytes) -> tuple[bytes, list[str]]:
    """The key without what editors and mail programs put around it."""
    repairs = []
    if content.startswith(_UTF16_MARKS):
        content = content.decode("utf-16", "replace").encode()
        repairs.append("written as plain text (an editor had saved it as UTF-16)")
    if content.startswith(_BOM):
        content = content[len(_BOM) :]
        repairs.append("byte order mark taken off")
    if b"\r" in content:
        content = content.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        repairs.append("Windows line ends replaced")
    armour = _ARMOURED.search(content)
    if armour and b"PRIVATE KEY" in armour[1]:
        around = content[: armour.start()] + content[armour.end() :]
        if around.strip():
            repairs.append("text around the key left out")
        elif not content.endswith(b"\n"):
            repairs.append("last line break added")
        content = armour[0] + b"\n"
    return content, repairs


def _parsed(path: Path, content: bytes) -> Any:
    """The key itself, so that damage inside it is found now and not when somebody logs in."""
    try:
        key = _loaded(content)
        _public_line(key)
    except (ValueError, TypeError) as error:
        raise InputError(
            f"The key file {path} is damaged, or of a type that ssh does not use", hint="download or copy it again"
        ) from error
    if (bits := getattr(key, "key_size", _LEAST_RSA_BITS)) < _LEAST_RSA_BITS and "RSA" in type(key).__name__:
        raise InputError(f"{path} is an RSA key of {bits} bits, which ssh refuses", hint="make a new key")
    return key


def _loaded(content: bytes) -> Any:
    """Raises ValueError when it is no key, TypeError when it is encrypted."""
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415 - slow to import
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415 - slow to import

    try:
        if b"BEGIN OPENSSH PRIVATE KEY" in content:
            return serialization.load_ssh_private_key(content, None)
        return serialization.load_pem_private_key(content, None)
    except UnsupportedAlgorithm as error:
        raise ValueError(str(error)) from error


def _in_openssh_format(key: Any) -> bytes:
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415 - slow to import

    text: bytes = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
    )
    return text


def _public_line(key: Any) -> str:
    """Raises ValueError for a type that ssh does not know (DSA, X25519)."""
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415 - slow to import
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa  # noqa: PLC0415 - slow to import

    if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey):
        raise ValueError(type(key).__name__)
    line: bytes = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    return line.decode()
