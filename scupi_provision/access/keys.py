"""Is this file a private key that ssh will use? If not: what is it, and which command repairs it.

Only the outside of a key is looked at: its armour, its header, its permissions. Nothing is decrypted and no passphrase
is needed, so this can be done for a whole class before anybody is connected.
"""

from __future__ import annotations

import base64
import os
import re
import shlex
import stat
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from scupi_provision.errors import InputError

_MAX_BYTES = 64 * 1024  # the longest RSA keys in use have about 13 KiB
_OPENSSH_MAGIC = b"openssh-key-v1\0"
_ARMOUR = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----")
_PUBLIC_LINE = re.compile(rb"\s*(ssh-(rsa|dss|ed25519)|ecdsa-sha2-|sk-(ssh|ecdsa)-)[!-~]* ")
_PUBLIC_ARMOUR = re.compile(rb"---- ?BEGIN ([A-Z0-9 ]*PUBLIC KEY|CERTIFICATE)")


class KeyFormat(str, Enum):
    """How a private key is written down."""

    OPENSSH = "OPENSSH PRIVATE KEY"
    RSA = "RSA PRIVATE KEY"
    EC = "EC PRIVATE KEY"
    PKCS8 = "PRIVATE KEY"
    PKCS8_ENCRYPTED = "ENCRYPTED PRIVATE KEY"


@dataclass(frozen=True)
class PrivateKeyFile:
    """A private key file that ssh will use.

    Attributes:
        path: Where it is, with `~` expanded.
        format: How it is written.
        needs_passphrase: Whether it is encrypted.
    """

    path: Path
    format: KeyFormat
    needs_passphrase: bool


def check_private_key(path: Path | str) -> PrivateKeyFile:
    """Look at a private key file; raises InputError, with the command that helps, when ssh would not use it."""
    expanded = expand(path)
    content = read_key_file(expanded)
    _refuse_open_permissions(expanded)
    return check_content(expanded, content)


def check_content(path: Path, content: bytes) -> PrivateKeyFile:
    """As `check_private_key`, for what is or shall be in `path`, whatever its permissions."""
    _refuse_other_things(path, content)
    label = _label(path, content)
    _refuse_damage(path, content, label)
    return PrivateKeyFile(path, label, _is_encrypted(path, content, label))


def expand(path: Path | str) -> Path:
    """`path` with a leading `~` or `~user` replaced; raises InputError when there is no such user."""
    try:
        return Path(path).expanduser()
    except RuntimeError as error:
        raise InputError(f"The key path {str(path)!r} cannot be resolved", detail=str(error)) from error


def read_key_file(path: Path) -> bytes:
    """What is in a file that may be a key; raises InputError when that cannot be."""
    if not path.exists():
        beside = f"; there is {path}.pub beside it, but that is the public half" if _exists_with(path, ".pub") else ""
        raise InputError(f"The key file {path} does not exist{beside}", hint="check the path in the inventory")
    if not path.is_file():
        raise InputError(f"{path} is not a file", hint="name the private key file itself")
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_BYTES + 1)
    except OSError as error:
        raise InputError(f"The key file {path} cannot be read", detail=str(error.strerror)) from error
    if not content.strip():
        raise InputError(f"The key file {path} is empty", hint="download or generate it again")
    if len(content) > _MAX_BYTES:
        raise InputError(f"{path} is too large to be a private key", hint="check the path in the inventory")
    return content


def _exists_with(path: Path, suffix: str) -> bool:
    return path.with_name(path.name + suffix).exists()


def _refuse_open_permissions(path: Path) -> None:
    """As ssh does, for files of our own. Windows has no such bits."""
    if os.name != "posix":
        return
    status = path.stat()
    mode = stat.S_IMODE(status.st_mode)
    if status.st_uid == os.getuid() and mode & 0o077:
        raise InputError(
            f"The key file {path} can be read by other people (mode {mode:04o}); ssh refuses such a key",
            hint=f"chmod 600 {shlex.quote(str(path))}",
        )


def _refuse_other_things(path: Path, content: bytes) -> None:
    """What people have in hand when they think that they have a private key."""
    quoted = shlex.quote(str(path))
    if content.startswith(b"PuTTY-User-Key-File"):
        raise InputError(
            f"{path} is a key in PuTTY's format",
            hint=f"puttygen {quoted} -O private-openssh -o {shlex.quote(str(path.with_suffix('')) + '.key')} "
            "(or in PuTTYgen: Conversions, Export OpenSSH key)",
        )
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise InputError(f"{path} was saved as UTF-16 by an editor", hint="download it again; do not open it")
    if _PUBLIC_LINE.match(content) or _PUBLIC_ARMOUR.search(content):
        private = path.with_suffix("") if path.suffix == ".pub" else None
        advice = f"use {private}" if private and private.exists() else "use the file without .pub that belongs to it"
        raise InputError(f"{path} is a public key, not the private one", hint=advice)


def _label(path: Path, content: bytes) -> KeyFormat:
    found = _ARMOUR.search(content)
    if not found:
        raise InputError(f"{path} is not a private key", hint="a private key begins with -----BEGIN … PRIVATE KEY-----")
    try:
        return KeyFormat(found[1].decode())
    except ValueError:
        raise InputError(
            f"{path} holds a {found[1].decode()}, which ssh does not use any more",
            hint="make a new key: ssh-keygen -t ed25519",
        ) from None


def _refuse_damage(path: Path, content: bytes, label: KeyFormat) -> None:
    """What editors, mail and web pages do to a key. OpenSSH says "error in libcrypto" to nearly all of these."""
    quoted = shlex.quote(str(path))
    begin, end = f"-----BEGIN {label.value}-----".encode(), f"-----END {label.value}-----".encode()
    strict = label is KeyFormat.OPENSSH  # OpenSSH reads this format itself, byte by byte; the others go to OpenSSL
    checks: tuple[tuple[bool, Callable[[], tuple[str, str]]], ...] = (
        (end not in content, lambda: ("is cut off: its END line is missing", "download or copy it again")),
        (
            content.startswith(b"\xef\xbb\xbf"),
            lambda: ("begins with a byte order mark, put there by an editor", _rewrite(quoted, "tail -c +4")),
        ),
        (
            strict and b"\r" in content,
            lambda: ("has Windows line ends, which ssh does not accept", _rewrite(quoted, "tr -d '\\r'")),
        ),
        (
            strict and not content.startswith(begin),
            lambda: ("has something before its BEGIN line", _rewrite(quoted, "sed -n '/-----BEGIN/,$p'")),
        ),
        (
            begin + b"\n" not in content.replace(b"\r", b""),
            lambda: ("has lost its line breaks", "download it again; copying from a web page joins the lines"),
        ),
        (strict and not content.split(end)[-1], lambda: ("lacks its last line break", f"echo >> {quoted}")),
    )
    for broken, explain in checks:
        if broken:
            what, advice = explain()
            raise InputError(f"The key file {path} {what}", hint=advice)


def _rewrite(quoted: str, program: str) -> str:
    """A command that repairs in place without ever giving the key another mode or leaving half of it."""
    return f"cp -p {quoted} {quoted}.old && {program} < {quoted}.old > {quoted}"


def _is_encrypted(path: Path, content: bytes, label: KeyFormat) -> bool:
    if label is KeyFormat.OPENSSH:
        return _openssh_cipher(path, content) != b"none"
    return label is KeyFormat.PKCS8_ENCRYPTED or b"Proc-Type: 4,ENCRYPTED" in content


def _openssh_cipher(path: Path, content: bytes) -> bytes:
    """The name of the cipher in the header (PROTOCOL.key of OpenSSH); b"none" when the key is not encrypted."""
    body = content.split(b"KEY-----")[1].split(b"-----END")[0]
    try:
        blob = base64.b64decode(b"".join(body.split()), validate=True)
    except ValueError as error:
        raise _damaged(path, "it is not base64") from error
    header = blob[len(_OPENSSH_MAGIC) :]
    size = int.from_bytes(header[:4], "big")
    if not blob.startswith(_OPENSSH_MAGIC) or len(header) < 4 + size:
        raise _damaged(path, "its header is wrong")
    return header[4 : 4 + size]


def _damaged(path: Path, reason: str) -> InputError:
    return InputError(f"The key file {path} is damaged: {reason}", hint="download or copy it again")
