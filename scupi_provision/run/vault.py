"""`provision vault`: files and texts into vaults, out of them, and through an editor."""

from __future__ import annotations

import shutil
import signal
import stat
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from scupi_provision.errors import InputError
from scupi_provision.run.private_files import replace_file, write_file
from scupi_provision.vault.format import is_vault, sealed
from scupi_provision.vault.keyring import Key, Keyring, Opened

PRIVATE = 0o600
"""Mode of what is in a vault, and of a vault that is made."""
_KEEPS_NO_COPIES = ("-n", "-i", "NONE", "--cmd", "set noundofile nobackup nowritebackup")
"""For vim and neovim: no swap file, no history of the session, no file of undo steps beside or elsewhere."""
_INDENT = " " * 10
"""Before each line of a `!vault` value, as ansible-vault prints it."""


@dataclass(frozen=True)
class Edited:
    """How editing ended: `changed` is False when the file was left as it was."""

    path: Path
    changed: bool


def key_for_closing(keyring: Keyring, label: str | None) -> Key:
    """The password that closes vaults: the one with this vault id, or the only one there is.

    Raises:
        InputError: There is none, or nobody said which.
    """
    labels = ", ".join(dict.fromkeys(key.label for key in keyring.keys))
    if label is not None:
        found = next((key for key in keyring.keys if key.label == label), None)
        if found is None:
            hint = f"there are passwords for: {labels or 'none'}"
            raise InputError(f'there is no password for --encrypt-vault-id "{label}"', hint=hint)
        return found
    if len(keyring.keys) != 1:
        what = "there are several passwords to close the vault with" if labels else "there is no password"
        raise InputError(f"{what}: {labels}", hint="say which by --encrypt-vault-id LABEL")
    return keyring.keys[0]


def read_file(path: Path) -> bytes:
    """The bytes of a file of this computer."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error


def encrypted(content: bytes, what: str, key: Key) -> bytes:
    """`content` as a vault; raises InputError when it is one already."""
    if is_vault(content):
        raise InputError(f"{what} is a vault already", hint="to give it another password: provision vault rekey")
    return sealed(content, key.raw, key.label)


def encrypted_value(text: bytes, name: str | None, key: Key) -> str:
    """A text as a `!vault` value for a YAML file, with its name when it has one."""
    head = f"{name}: !vault |" if name else "!vault |"
    lines = encrypted(text, "the text", key).decode("utf-8").splitlines()
    return "\n".join([head, *(_INDENT + line for line in lines)]) + "\n"


def decrypted(content: bytes, what: str, keyring: Keyring) -> Opened:
    """What is in the vault `content`; raises InputError when it is none or stays closed."""
    if not is_vault(content):
        raise InputError(f"{what} is not a vault", hint="it does not begin with $ANSIBLE_VAULT")
    return keyring.open(content, what)


def encrypt_file(path: Path, key: Key, out: Path | None = None) -> None:
    """Put a vault in the place of a file (or in `out`), for nobody else to read."""
    replace_file(out or path, encrypted(read_file(path), str(path), key), PRIVATE)


def decrypt_file(path: Path, keyring: Keyring, out: Path | None = None) -> None:
    """Put what is in a vault in its place (or in `out`), for nobody else to read."""
    replace_file(out or path, decrypted(read_file(path), str(path), keyring).content, PRIVATE)


def rekey_files(paths: Sequence[Path], keyring: Keyring, key: Key) -> None:
    """Close vaults with another password. All are opened before the first is written."""
    contents = [decrypted(read_file(path), str(path), keyring).content for path in paths]
    for path, content in zip(paths, contents, strict=True):
        replace_file(path, sealed(content, key.raw, key.label), stat.S_IMODE(path.stat().st_mode))


def create_file(path: Path, key: Key, editor: Sequence[str]) -> None:
    """Make a new vault of what somebody writes in an editor."""
    if path.exists():
        raise InputError(f"{path} is there already", hint="provision vault edit")
    content = edited_text(b"", path.suffix, editor)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_file(path, sealed(content, key.raw, key.label), PRIVATE)


def edit_file(path: Path, keyring: Keyring, editor: Sequence[str]) -> Edited:
    """Open a vault in an editor and close it again with the same password and vault id, when something has changed."""
    found = decrypted(read_file(path), str(path), keyring)
    content = edited_text(found.content, path.suffix, editor)
    if content == found.content:
        return Edited(path, changed=False)
    replace_file(path, sealed(content, found.key.raw, found.label), stat.S_IMODE(path.stat().st_mode))
    return Edited(path, changed=True)


def edited_text(content: bytes, suffix: str, editor: Sequence[str]) -> bytes:
    """`content` as somebody leaves it in an editor.

    It lies meanwhile in a folder that only its owner can enter, under a name that says nothing, and the folder is
    removed with everything that the editor has put beside it, also when the editor or we are stopped.
    """
    with _ends_tidily(), _private_folder() as folder:
        path = folder / f"vault{suffix}"
        write_file(path, content, PRIVATE)
        program = Path(editor[0]).stem
        keeping = _KEEPS_NO_COPIES if program in {"vim", "nvim", "gvim"} else ()
        try:
            status = subprocess.run([*editor, *keeping, str(path)], check=False).returncode
        except OSError as error:
            hint = "name one: EDITOR=nano provision vault edit FILE"
            raise InputError(f"the editor {editor[0]} cannot be run: {error.strerror}", hint=hint) from error
        if status != 0:
            raise InputError(f"the editor {editor[0]} ended with status {status}; nothing was written")
        return read_file(path)


@contextmanager
def _private_folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="provision-"))  # made with mode 0700
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _ends_tidily() -> Iterator[None]:
    """Signals that would end the process at once end the block first."""
    signals = [number for name in ("SIGTERM", "SIGHUP") if (number := getattr(signal, name, None)) is not None]
    before = {}
    with suppress(ValueError):  # not in the main thread: whoever has started us there must not kill us
        before = {number: signal.signal(number, _end) for number in signals}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _end(number: int, _frame: object) -> NoReturn:
    raise SystemExit(128 + number)
