"""Loading the keys of an account ourselves, so that an error names the file and what is wrong with it."""

from __future__ import annotations

import hashlib
import threading
from dataclasses import dataclass
from pathlib import Path

import paramiko

from scupi_provision.errors import InputError
from scupi_provision.transport.base import Hop, Nobody, Person
from scupi_provision.transport.known_hosts import HostKey, fingerprint
from scupi_provision.transport.private_keys import (
    PassphraseNeededError,
    UnsupportedKeyError,
    WrongPassphraseError,
    parse_private_key,
    public_half,
)
from scupi_provision.transport.route import described

_MOST_ATTEMPTS = 3
_UNLOCKED: dict[bytes, paramiko.PKey] = {}
"""Keys that a passphrase has opened, by the hash of their file: one file serves every hop and account of a run."""
_UNLOCKING = threading.Lock()


@dataclass(frozen=True)
class UserKey:
    """A key to log in with.

    Attributes:
        key: The key itself.
        origin: Where it is from: a path, or the ssh-agent.
        was_encrypted: Whether the hop's password was needed to read it.
        in_agent: Whether `key` is only the public half, and the ssh-agent has the other.
    """

    key: paramiko.PKey
    origin: str
    was_encrypted: bool = False
    in_agent: bool = False

    def __str__(self) -> str:
        print_ = fingerprint(HostKey(self.key.get_name(), self.key.asbytes()))
        return f"key {print_} ({self.key.get_name()}) from {self.origin}"


def load_user_keys(hop: Hop, person: Person | None = None) -> tuple[UserKey, ...]:
    """Load the hop's key files, in order.

    An encrypted one that the ssh-agent has is left to the agent; else `person` is asked for its passphrase, once for
    each file as long as the program runs.

    Raises:
        InputError: A key cannot be used; it is about the first such.
    """
    if not (hop.key_files or hop.use_agent or hop.password):
        raise InputError(
            f"{described(hop)}: no key, agent or password to log in with",
            hint="give the account a private key file in the inventory",
        )
    return tuple(_load(path, hop, person or Nobody()) for path in hop.key_files)


def _load(path: Path, hop: Hop, person: Person) -> UserKey:
    try:
        content = path.expanduser().read_bytes()
    except (OSError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise _unusable(path, hop, f"it cannot be read: {reason}", "check the path in the inventory") from error
    try:
        return UserKey(parse_private_key(content, None), str(path))
    except PassphraseNeededError:
        return _encrypted(content, path, hop, person)
    except UnsupportedKeyError as error:
        advice = "make a new one: ssh-keygen -t ed25519"
        raise _unusable(path, hop, f"its key type is not supported ({error})", advice) from error
    except ValueError as error:
        advice = f"`ssh-keygen -y -f {path}` must be able to read it; a .pub or .ppk file is not a private key"
        raise _unusable(path, hop, "it is not a private key in a format that we know", advice) from error


def _encrypted(content: bytes, path: Path, hop: Hop, person: Person) -> UserKey:
    if hop.password is not None:
        return UserKey(_opened(content, path, hop, hop.password.reveal()), str(path), was_encrypted=True)
    held = _held_by_agent(content, path)
    if held is not None:
        return UserKey(held, str(path), in_agent=True)
    name = hashlib.sha256(content).digest()
    with _UNLOCKING:  # whoever comes second finds the key open and is not asked
        if name not in _UNLOCKED:
            _UNLOCKED[name] = _opened_by(person, content, path, hop)
    return UserKey(_UNLOCKED[name], str(path))


def _opened_by(
    person: Person, content: bytes, path: Path, hop: Hop, *, attempts: int = _MOST_ATTEMPTS
) -> paramiko.PKey:
    """Ask for the passphrase until it is right, as ssh does it."""
    if isinstance(person, Nobody):
        advice = "give its passphrase, or load it into an ssh-agent (ssh-add) and use that"
        raise _unusable(path, hop, "it is encrypted, and no passphrase was given", advice)
    remark = "" if attempts == _MOST_ATTEMPTS else "that was not it; "
    passphrase = person.secret(hop, f"{remark}passphrase of {path} (it stays on this computer):", echo=False)
    if attempts == 1:
        return _opened(content, path, hop, passphrase)
    try:
        return parse_private_key(content, passphrase)
    except WrongPassphraseError:
        return _opened_by(person, content, path, hop, attempts=attempts - 1)


def _opened(content: bytes, path: Path, hop: Hop, passphrase: str) -> paramiko.PKey:
    try:
        return parse_private_key(content, passphrase)
    except WrongPassphraseError:
        # `from None`: the exception's frames hold the passphrase.
        raise _unusable(path, hop, "it is encrypted, and the passphrase is wrong", "give the right one") from None


def _held_by_agent(content: bytes, path: Path) -> paramiko.PKey | None:
    """The public half of an encrypted key when a running ssh-agent has the key; nothing has to be asked then."""
    beside = path.expanduser().with_name(path.name + ".pub")
    public = public_half(content, beside.read_bytes() if beside.is_file() else b"")
    if public is None:
        return None
    agent = paramiko.Agent()
    try:
        held = {key.asbytes() for key in agent.get_keys()}
    finally:
        agent.close()
    return public if public.asbytes() in held else None


def _unusable(path: Path, hop: Hop, reason: str, advice: str) -> InputError:
    return InputError(f"The key {path} for {described(hop)} cannot be used: {reason}", hint=advice)
