"""A key of one's own: an ed25519 pair that is made on this computer and whose private half never leaves it."""

from __future__ import annotations

from pathlib import Path

from scupi_provision.access.downloaded import read_downloaded
from scupi_provision.access.kept_keys import write_owned
from scupi_provision.errors import InputError


def own_public_key(path: Path, comment: str) -> str:
    """The public half of the key at `path`, as a line of authorized_keys; the pair is made when there is none.

    Raises:
        InputError: What is at `path` is no such key, or it cannot be written.
    """
    try:
        if not path.exists():
            write_owned(path, _new_key())
        public = _public_half(path)
        beside = path.with_name(f"{path.name}.pub")
        if not beside.exists():
            beside.write_text(f"{public} {comment}\n", encoding="utf-8")
    except OSError as error:
        raise InputError(f"the key {path} cannot be made", detail=str(error.strerror)) from error
    return f"{public} {comment}"


def _public_half(path: Path) -> str:
    """From the key itself; of one that its owner has encrypted since, from the file beside it."""
    key = read_downloaded(path)
    if key.public:
        return key.public
    beside = path.with_name(f"{path.name}.pub")
    words = beside.read_text(encoding="utf-8").split() if beside.exists() else []
    if len(words) < 2:
        raise InputError(
            f"{path} is encrypted, and its public half is not beside it",
            hint=f"ssh-keygen -y -f {path} > {beside}",
        )
    return " ".join(words[:2])


def _new_key() -> bytes:
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415 - slow to import
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415 - slow to import

    return Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
    )
