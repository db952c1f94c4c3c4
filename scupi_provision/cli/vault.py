"""`provision vault`: make, open, show and edit Ansible's vaults."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from scupi_provision.cli.boundary import guarded
from scupi_provision.cli.vault_options import Asks, PasswordFiles, VaultIds, ask, vault_wish
from scupi_provision.errors import InputError

if TYPE_CHECKING:
    from scupi_provision.vault.keyring import Key, Keyring

app = typer.Typer(no_args_is_help=True, help="Keep secrets in files that only a password opens (Ansible's format).")

Files = Annotated[list[str], typer.Argument(metavar="FILE...", help="The files; - is standard input.")]
Output = Annotated[Path | None, typer.Option("--output", help="Write there, not over the file; - is standard output.")]
ClosingId = Annotated[
    str | None, typer.Option("--encrypt-vault-id", help="Which of several passwords closes it, by its vault id.")
]


@app.command()
def encrypt(
    files: Files,
    output: Output = None,
    encrypt_vault_id: ClosingId = None,
    vault_id: VaultIds = [],  # noqa: B006 - typer copies it
    vault_password_file: PasswordFiles = [],  # noqa: B006
    ask_vault_pass: Asks = False,
) -> None:
    """Make vaults of files. They keep their names; only their owner can read them."""

    def work() -> int:
        from scupi_provision.run.vault import encrypt_file, encrypted  # noqa: PLC0415 - keeps `--help` fast

        key = _key(vault_id, vault_password_file, encrypt_vault_id, asks=ask_vault_pass)
        _each(
            files,
            output,
            lambda content: encrypted(content, "standard input", key),
            lambda p, o: encrypt_file(p, key, o),
        )
        return 0

    raise typer.Exit(guarded(work))


@app.command()
def decrypt(
    files: Files,
    output: Output = None,
    vault_id: VaultIds = [],  # noqa: B006
    vault_password_file: PasswordFiles = [],  # noqa: B006
    ask_vault_pass: Asks = False,
) -> None:
    """Put what is in vaults in their place."""

    def work() -> int:
        from scupi_provision.run.vault import decrypt_file, decrypted  # noqa: PLC0415 - keeps `--help` fast

        keys = _keyring(vault_id, vault_password_file, asks=ask_vault_pass)
        show = lambda content: decrypted(content, "standard input", keys).content  # noqa: E731 - one word for two uses
        _each(files, output, show, lambda path, out: decrypt_file(path, keys, out))
        return 0

    raise typer.Exit(guarded(work))


@app.command()
def view(
    files: Files,
    vault_id: VaultIds = [],  # noqa: B006
    vault_password_file: PasswordFiles = [],  # noqa: B006
    ask_vault_pass: Asks = False,
) -> None:
    """Show what is in vaults, on standard output. Nothing is masked here."""

    def work() -> int:
        from scupi_provision.run.vault import decrypted  # noqa: PLC0415 - keeps `--help` fast

        keys = _keyring(vault_id, vault_password_file, asks=ask_vault_pass)
        for name in files:
            _put_out(decrypted(_content(name), name, keys).content)
        return 0

    raise typer.Exit(guarded(work))


@app.command()
def create(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The new file.")],
    encrypt_vault_id: ClosingId = None,
    vault_id: VaultIds = [],  # noqa: B006
    vault_password_file: PasswordFiles = [],  # noqa: B006
    ask_vault_pass: Asks = False,
) -> None:
    """Make a vault of what you write in $EDITOR."""

    def work() -> int:
        from scupi_provision.run.vault import create_file  # noqa: PLC0415 - keeps `--help` fast

        create_file(file, _key(vault_id, vault_password_file, encrypt_vault_id, asks=ask_vault_pass), _editor())
        return 0

    raise typer.Exit(guarded(work))


@app.command()
def edit(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The vault.")],
    vault_id: VaultIds = [],  # noqa: B006
    vault_password_file: PasswordFiles = [],  # noqa: B006
    ask_vault_pass: Asks = False,
) -> None:
    """Change what is in a vault, in $EDITOR. It is closed again with the same password and vault id."""

    def work() -> int:
        from scupi_provision.run.vault import edit_file  # noqa: PLC0415 - keeps `--help` fast

        done = edit_file(file, _keyring(vault_id, vault_password_file, asks=ask_vault_pass), _editor())
        if not done.changed:
            print(f"{file} is as it was", file=sys.stderr)
        return 0

    raise typer.Exit(guarded(work))


@app.command()
def rekey(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="The vaults.")],
    new_vault_id: Annotated[str | None, typer.Option("--new-vault-id", help="LABEL@FILE or LABEL@prompt.")] = None,
    new_vault_password_file: Annotated[
        Path | None, typer.Option("--new-vault-password-file", help="A file with the new password.")
    ] = None,
    vault_id: VaultIds = [],  # noqa: B006
    vault_password_file: PasswordFiles = [],  # noqa: B006
    ask_vault_pass: Asks = False,
) -> None:
    """Give vaults another password. All are opened before the first is written."""

    def work() -> int:
        from scupi_provision.run.vault import rekey_files  # noqa: PLC0415 - keeps `--help` fast
        from scupi_provision.vault.passwords import Source, read_key  # noqa: PLC0415

        if new_vault_id and new_vault_password_file:
            raise InputError("--new-vault-id and --new-vault-password-file exclude each other")
        keys = _keyring(vault_id, vault_password_file, asks=ask_vault_pass)
        new = Source.of(new_vault_id) if new_vault_id else Source(None, str(new_vault_password_file or "prompt"))
        rekey_files(files, keys, read_key(new, keys, ask, new=True))
        return 0

    raise typer.Exit(guarded(work))


@app.command("encrypt_string", hidden=True)
@app.command("encrypt-string")
def encrypt_string(
    texts: Annotated[
        list[str], typer.Argument(metavar="[TEXT]...", help="What other users see in `ps`: better typed.")
    ] = [],  # noqa: B006
    name: Annotated[list[str], typer.Option("--name", "-n", help="The variable's name, for each text.")] = [],  # noqa: B006
    stdin_name: Annotated[str | None, typer.Option(help="The name for what standard input holds.")] = None,
    prompt: Annotated[bool, typer.Option("--prompt", "-p", help="Type the text, unseen.")] = False,
    output: Output = None,
    encrypt_vault_id: ClosingId = None,
    vault_id: VaultIds = [],  # noqa: B006
    vault_password_file: PasswordFiles = [],  # noqa: B006
    ask_vault_pass: Asks = False,
) -> None:
    """Make `name: !vault |` of a text, to be put into a YAML file. Without a text, standard input is read."""

    def work() -> int:
        from scupi_provision.run.private_files import replace_file  # noqa: PLC0415 - keeps `--help` fast
        from scupi_provision.run.vault import PRIVATE, encrypted_value  # noqa: PLC0415

        key = _key(vault_id, vault_password_file, encrypt_vault_id, asks=ask_vault_pass)
        plain = [text for text in texts if text != "-"]
        names = [*name, *[None] * max(0, len(plain) - len(name))]
        pairs = [(text.encode(), label) for text, label in zip(plain, names, strict=False)]
        if prompt:
            pairs.insert(0, (ask("Text to encrypt: ").encode(), name[-1] if name and not plain else None))
        elif "-" in texts or stdin_name or not plain:
            pairs.insert(0, (sys.stdin.buffer.read(), stdin_name or (name[-1] if name and not plain else None)))
        if not all(text for text, _ in pairs):
            raise InputError("there is nothing to encrypt: the text is empty")
        made = "".join(encrypted_value(text, label, key) for text, label in pairs)
        if output is None or str(output) == "-":
            _put_out(made.encode())
        else:
            replace_file(output, made.encode(), PRIVATE)
        return 0

    raise typer.Exit(guarded(work))


def _keyring(ids: list[str], files: list[Path], *, asks: bool, new: bool = False) -> Keyring:
    """The passwords that are named; when none is, somebody is asked for one."""
    from scupi_provision.vault.passwords import read_keyring  # noqa: PLC0415 - keeps `--help` fast

    return read_keyring(vault_wish(ids, files, asks=asks), ask, needed=True, new=new)


def _key(ids: list[str], files: list[Path], label: str | None, *, asks: bool) -> Key:
    """The password that closes a vault."""
    from scupi_provision.run.vault import key_for_closing  # noqa: PLC0415 - keeps `--help` fast

    wanted = label or os.environ.get("ANSIBLE_VAULT_ENCRYPT_IDENTITY") or None
    return key_for_closing(_keyring(ids, files, asks=asks, new=True), wanted)


def _each(
    names: list[str],
    output: Path | None,
    to_output: Callable[[bytes], bytes],
    to_file: Callable[[Path, Path | None], None],
) -> None:
    """Do the same to every file; standard input, and what goes to standard output, pass through."""
    if output is not None and len(names) > 1:
        raise InputError("--output is for one file")
    for name in names:
        if str(output) == "-" or (name == "-" and output is None):
            _put_out(to_output(_content(name)))
        elif name == "-":
            raise InputError("standard input goes to standard output", hint="leave --output away, and use >")
        else:
            to_file(Path(name), output)


def _content(name: str) -> bytes:
    from scupi_provision.run.vault import read_file  # noqa: PLC0415 - keeps `--help` fast

    return sys.stdin.buffer.read() if name == "-" else read_file(Path(name))


def _put_out(content: bytes) -> None:
    sys.stdout.buffer.write(content)
    sys.stdout.buffer.flush()


def _editor() -> list[str]:
    """The editor as a command: $EDITOR or $VISUAL, which may have arguments, or vi."""
    given = os.environ.get("EDITOR") or os.environ.get("VISUAL") or ("notepad" if os.name == "nt" else "vi")
    return shlex.split(given, posix=os.name != "nt") or ["vi"]
