"""Loading private keys ourselves, so that an error names the file and what is wrong with it.

Paramiko's `key_filename=` tries every key class on every file and reports whatever the last one said ("encountered RSA
key, expected OPENSSH key"), also when the server has simply rejected a good key.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import paramiko

from scupi_provision.errors import InputError
from scupi_provision.transport.base import Hop
from scupi_provision.transport.known_hosts import HostKey, fingerprint
from scupi_provision.transport.route import described


@dataclass(frozen=True)
class UserKey:
    """A key to log in with.

    Attributes:
        key: The key itself.
        origin: Where it is from: a path, or the ssh-agent.
        was_encrypted: Whether the hop's password was needed to read it.
    """

    key: paramiko.PKey
    origin: str
    was_encrypted: bool = False

    def __str__(self) -> str:
        print_ = fingerprint(HostKey(self.key.get_name(), self.key.asbytes()))
        return f"key {print_} ({self.key.get_name()}) from {self.origin}"


def load_user_keys(hop: Hop) -> tuple[UserKey, ...]:
    """Load the hop's key files, in order; raises InputError about the first that cannot be used."""
    if not (hop.key_files or hop.use_agent or hop.password):
        raise InputError(
            f"{described(hop)}: no key, agent or password to log in with",
            hint="give the account a private key file in the inventory",
        )
    return tuple(_load(path, hop) for path in hop.key_files)


def _load(path: Path, hop: Hop) -> UserKey:
    try:
        content = path.expanduser().read_bytes()
    except (OSError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise _unusable(path, hop, f"it cannot be read: {reason}", "check the path in the inventory") from error
    loaded, was_encrypted = _decrypted(content, path, hop)
    try:
        return UserKey(_as_paramiko(loaded), str(path), was_encrypted)
    except (paramiko.SSHException, ValueError) as error:
        advice = "make a new one: ssh-keygen -t ed25519"
        raise _unusable(path, hop, f"its key type is not supported ({error})", advice) from error


def _decrypted(content: bytes, path: Path, hop: Hop) -> tuple[Any, bool]:
    """The key as a `cryptography` object, and whether the password was needed (else it may be the login's)."""
    try:
        return _parse(content, None), False
    except TypeError as error:  # this is how `cryptography` says "encrypted"
        if hop.password is None:
            advice = "give its passphrase, or load it into an ssh-agent and use that"
            raise _unusable(path, hop, "it is encrypted, and no passphrase was given", advice) from error
    except ValueError as error:
        advice = f"`ssh-keygen -y -f {path}` must be able to read it; a .pub or .ppk file is not a private key"
        raise _unusable(path, hop, "it is not a private key in a format that we know", advice) from error
    try:
        return _parse(content, hop.password.reveal().encode()), True
    except (ValueError, TypeError):
        # `from None`: the exception's frames hold the passphrase.
        raise _unusable(path, hop, "it is encrypted, and the passphrase is wrong", "give the right one") from None


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


def _unusable(path: Path, hop: Hop, reason: str, advice: str) -> InputError:
    return InputError(f"The key {path} for {described(hop)} cannot be used: {reason}", hint=advice)
