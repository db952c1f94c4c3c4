"""Where passwords of vaults come from: a file, a program, a client program that knows several ids, or a person."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from scupi_provision.errors import InputError
from scupi_provision.masking import mask
from scupi_provision.values import Secret
from scupi_provision.vault.format import is_vault
from scupi_provision.vault.keyring import DEFAULT_LABEL, Key, Keyring

Ask = Callable[[str], str]
"""Asks the person at the terminal, who types unseen; raises InputError when nobody is there."""

_PROMPTS = frozenset({"prompt", "prompt_ask_vault_pass"})
_UNKNOWN_ID = 2
"""The exit status by which a client program says that it has no password for the id (Ansible's documentation)."""
_WINDOWS_PROGRAMS = frozenset({".bat", ".cmd", ".exe"})


@dataclass(frozen=True)
class Source:
    """One `LABEL@SOURCE` of the command line.

    Attributes:
        label: The vault id, or None when none is named.
        place: A file's name, or "prompt".
    """

    label: str | None
    place: str

    @classmethod
    def of(cls, text: str) -> Source:
        """Read `LABEL@SOURCE`, or only `SOURCE`; raises InputError when it is neither."""
        label, at, place = text.partition("@")
        if not at:
            label, place = "", text
        if not place or ";" in label:
            why = "a vault id cannot hold a ;" if place else "it names no source"
            raise InputError(f"--vault-id {text}: {why}", hint="write LABEL@FILE, or LABEL@prompt to be asked")
        return cls(label or None, place)


@dataclass(frozen=True)
class Wish:
    """Which passwords somebody names on the command line.

    Attributes:
        ids: `--vault-id`, each `LABEL@SOURCE`.
        files: `--vault-password-file`.
        asks: `--ask-vault-pass`.
    """

    ids: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    asks: bool = False

    def sources(self, environment: Mapping[str, str]) -> list[Source]:
        """All sources in Ansible's order: the environment's list, `--vault-id`, files, the question."""
        listed = environment.get("ANSIBLE_VAULT_IDENTITY_LIST", "").split(",")
        found = [Source.of(text.strip()) for text in (*listed, *self.ids) if text.strip()]
        fallback = environment.get("ANSIBLE_VAULT_PASSWORD_FILE", "")
        found += [Source(None, name) for name in (*self.files, *([fallback] if fallback else []))]
        asks = self.asks or environment.get("ANSIBLE_ASK_VAULT_PASS", "").lower() in {"1", "true", "yes", "on"}
        return found + [Source(None, "prompt")] * asks


def read_keyring(
    wish: Wish, ask: Ask, environment: Mapping[str, str] = os.environ, *, needed: bool = False, new: bool = False
) -> Keyring:
    """Read or ask for every password that is named, each once.

    Args:
        wish: What the command line names.
        ask: The person at the terminal.
        environment: Ansible's variables are read from it.
        needed: Whether somebody is asked when nothing is named.
        new: Whether a password will close vaults: then a person types it twice.

    Raises:
        InputError: One cannot be had. (Ansible goes on without it when it has another.)
    """
    fallback = environment.get("ANSIBLE_VAULT_IDENTITY") or DEFAULT_LABEL
    strict = environment.get("ANSIBLE_VAULT_ID_MATCH", "").lower() in {"1", "true", "yes", "on"}
    keys: list[Key] = []
    sources = wish.sources(environment) or [Source(None, "prompt")] * needed
    for source in dict.fromkeys(sources):
        keys.append(read_key(source, Keyring(tuple(keys)), ask, fallback=fallback, new=new))
    return Keyring(tuple(keys), strict)


def read_key(source: Source, known: Keyring, ask: Ask, *, fallback: str = DEFAULT_LABEL, new: bool = False) -> Key:
    """The password of one source.

    Args:
        source: Where it comes from.
        known: Opens a password file that is a vault itself.
        ask: For sources that are a person.
        fallback: The vault id of a source that names none.
        new: Whether it will close a vault: then a person types it twice.
    """
    label = source.label or fallback
    if source.place in _PROMPTS:
        password = _asked(label, ask, new=new).encode("utf-8", "surrogateescape").strip()
    else:
        password = _of_file(Path(source.place).expanduser(), label, known)
    if not password:
        origin = "it was typed as nothing" if source.place in _PROMPTS else f"{source.place} gives nothing"
        raise InputError(f'the vault password "{label}" is empty: {origin}')
    text = password.decode("utf-8", "surrogateescape")
    mask().learn(text)
    return Key(label, Secret(text))


def _asked(label: str, ask: Ask, *, new: bool) -> str:
    if not new:
        return ask(f"Vault password ({label}): ")
    typed = ask(f"New vault password ({label}): ")
    if ask(f"Confirm new vault password ({label}): ") != typed:
        raise InputError("the two passwords are not the same; nothing was written")
    return typed


def _of_file(path: Path, label: str, known: Keyring) -> bytes:
    if not path.exists():
        raise InputError(f"there is no vault password file {path}", hint="to be asked for it, write LABEL@prompt")
    if path.is_dir():
        raise InputError(f"the vault password file {path} is a folder")
    if _is_program(path):
        return _of_program(path.absolute(), label)
    try:
        content = path.read_bytes().strip()
    except OSError as error:
        raise InputError(f"cannot read the vault password file {path}: {error.strerror}") from error
    if is_vault(content):
        content = known.open(content, f"the vault password file {path}").content
    return content.strip(b"\r\n")


def _is_program(path: Path) -> bool:
    if os.name == "nt":  # where every file counts as executable
        return path.suffix.lower() in _WINDOWS_PROGRAMS
    return os.access(path, os.X_OK)


def _of_program(path: Path, label: str) -> bytes:
    """What a program prints; one called `…-client` is told the id that is wanted."""
    is_client = path.stem.endswith("-client")
    wanted = ["--vault-id", label] if is_client else []
    try:
        done = subprocess.run([str(path), *wanted], stdout=subprocess.PIPE, check=False)
    except OSError as error:
        hint = "if it is a file with a password, take the executable bit off it"
        raise InputError(f"the vault password program {path} cannot be run: {error.strerror}", hint=hint) from error
    if is_client and done.returncode == _UNKNOWN_ID:
        raise InputError(f'the vault password program {path} has no password for the id "{label}"')
    if done.returncode != 0:
        raise InputError(f"the vault password program {path} ended with status {done.returncode}")
    return done.stdout.strip(b"\r\n")
