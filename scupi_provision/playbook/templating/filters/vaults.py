"""The filters `vault` and `unvault`, and what asks whether something is a vault."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from pathlib import Path
from typing import Any

from scupi_provision.masking import mask
from scupi_provision.playbook.templating.failures import TemplateFailure
from scupi_provision.values import SecretSource, SecretText
from scupi_provision.vault.format import VaultFormatError, is_vault, opened, parse, sealed

_LABEL = "filter_default"
"""The vault id of what the filter `vault` makes, as Ansible documents it."""


def vault(value: Any, secret: Any, salt: Any = None, vault_id: str = _LABEL, *, wrap_object: bool = False) -> str:
    """`value` in a vault. Without `salt` equal texts make equal vaults: a plan must come out the same each time."""
    if wrap_object:
        raise TemplateFailure("wrap_object is not supported", hint="write the text below `!vault |` with indent")
    content, password = _encoded(value, "the text"), _encoded(secret, "the secret")
    if is_vault(content):
        raise TemplateFailure("the text is a vault already")
    mask().learn(str(secret))
    made_salt = hmac.new(password, vault_id.encode() + b"\0" + content, hashlib.sha256).digest()
    closed = sealed(content, password, vault_id, made_salt if salt is None else str(salt).encode())
    return closed.decode("utf-8")


def unvault(value: Any, secret: Any, vault_id: str = _LABEL) -> str:  # noqa: ARG001 - Ansible has it, and every id fits
    """What is in the vault `value`; a text that is no vault comes back as it is."""
    content, password = _encoded(value, "the vault"), _encoded(secret, "the secret")
    if not is_vault(content):
        return str(value)
    mask().learn(str(secret))
    try:
        inner = opened(parse(content), password)
    except VaultFormatError as error:
        raise TemplateFailure(f"the vault is damaged: {error}") from None
    if inner is None:
        raise TemplateFailure("this secret does not open the vault")
    return secret_text(inner)


def secret_text(content: bytes) -> SecretText:
    """What came out of a vault, as text that is masked from here on."""
    text = content.decode("utf-8", "surrogateescape")
    mask().learn(text)
    return SecretText(text)


def _encoded(value: Any, what: str) -> bytes:
    if not isinstance(value, str):
        raise TemplateFailure(f"{what} must be text, not {type(value).__name__}")
    return str.encode(value, "utf-8", "surrogateescape")


def vaulted_file(value: Any) -> bool:
    """Whether the file of this machine called `value` is a vault."""
    try:
        with Path(str(value)).expanduser().open("rb") as file:
            return is_vault(file.read(32))
    except OSError as error:
        raise TemplateFailure(f"cannot read {value}: {error.strerror}") from None


FILTERS: dict[str, Callable[..., Any]] = {"vault": vault, "unvault": unvault}
TESTS: dict[str, Callable[..., Any]] = {
    "vault_encrypted": lambda value: isinstance(value, SecretSource),
    "vaulted_file": vaulted_file,
}
