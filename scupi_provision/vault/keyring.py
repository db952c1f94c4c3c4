"""The passwords of this process, by vault id, and opening vaults with them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from scupi_provision.errors import InputError, Position
from scupi_provision.values import Secret
from scupi_provision.vault.format import Envelope, VaultFormatError, opened, parse

DEFAULT_LABEL = "default"
"""The vault id of a password that was given without one."""

_WHAT_TO_GIVE = "give its password: --vault-password-file FILE, --vault-id LABEL@FILE, or --ask-vault-pass"


class DamagedVaultError(InputError):
    """No password would open this."""


@dataclass(frozen=True)
class Key:
    """One password.

    Attributes:
        label: Its vault id.
        password: Its bytes as text, undecodable ones as surrogates.
    """

    label: str
    password: Secret

    @property
    def raw(self) -> bytes:
        """The password as the format takes it."""
        return self.password.reveal().encode("utf-8", "surrogateescape")


@dataclass(frozen=True)
class Opened:
    """A vault that was opened.

    Attributes:
        content: What is in it.
        label: The vault id in its header, or None.
        key: The password that opened it.
    """

    content: bytes
    label: str | None
    key: Key


@dataclass(frozen=True)
class Keyring:
    """Passwords in the order in which they were given.

    Attributes:
        keys: Several may have the same label.
        strict: Whether a vault that names an id is opened by passwords of that id only (ANSIBLE_VAULT_ID_MATCH).
    """

    keys: tuple[Key, ...] = ()
    strict: bool = False

    def open(self, data: bytes, what: str, where: Position | None = None) -> Opened:
        """Open a vault. What of it must be masked is for the caller to say.

        Args:
            data: The vault.
            what: What it is, for errors: a file's name, or "this value".
            where: Its place, for errors.

        Raises:
            DamagedVaultError: It is damaged.
            InputError: There is no password for it, or none fits.
        """
        try:
            envelope = parse(data)
            for key in self._in_order(envelope):
                content = opened(envelope, key.raw)
                if content is not None:
                    return Opened(content, envelope.label, key)
        except VaultFormatError as error:
            hint = "was it cut or changed? take it from its source again"
            raise DamagedVaultError(f"{what} is a damaged vault: {error}", where=where, hint=hint) from None
        raise self._refusal(what, envelope, where)

    def _in_order(self, envelope: Envelope) -> list[Key]:
        """The passwords to try: those of the id that the vault names, then all others."""
        named = [key for key in self.keys if key.label == envelope.label]
        if envelope.label is not None and self.strict:
            return named
        return named + [key for key in self.keys if key not in named]

    def _refusal(self, what: str, envelope: Envelope, where: Position | None) -> InputError:
        named = f' with the id "{envelope.label}"' if envelope.label else ""
        if not self.keys:
            return InputError(
                f"{what} is in a vault{named}, and there is no password for it", where=where, hint=_WHAT_TO_GIVE
            )
        tried = ", ".join(dict.fromkeys(key.label for key in self._in_order(envelope))) or "none, for ids must match"
        return InputError(
            f"{what} is in a vault{named} that no given password opens",
            where=where,
            detail=f"tried the passwords of: {tried}",
            hint="give the right one: --vault-id LABEL@FILE, or LABEL@prompt to be asked",
        )


@dataclass
class _Process:
    """Reading sources happens in many places and threads of one run, and all of them open vaults with the same keys."""

    keyring: Keyring


_PROCESS = _Process(Keyring())


def keyring() -> Keyring:
    """The passwords with which this process opens vaults."""
    return _PROCESS.keyring


@contextmanager
def using(keys: Keyring) -> Iterator[None]:
    """Open vaults with `keys` until the end of the block."""
    before = _PROCESS.keyring
    _PROCESS.keyring = keys
    try:
        yield
    finally:
        _PROCESS.keyring = before
