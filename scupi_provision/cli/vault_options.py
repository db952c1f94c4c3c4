"""`--vault-id`, `--vault-password-file` and `--ask-vault-pass`, for every command that reads a site."""

from __future__ import annotations

import getpass
import inspect
import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer

from scupi_provision.cli.boundary import guarded
from scupi_provision.errors import InputError

if TYPE_CHECKING:
    from scupi_provision.vault.passwords import Wish

_PANEL = "Vault"
VaultIds = Annotated[
    list[str],
    typer.Option("--vault-id", help="A vault's password: LABEL@FILE or LABEL@prompt.", rich_help_panel=_PANEL),
]
PasswordFiles = Annotated[
    list[Path],
    typer.Option(
        "--vault-password-file",
        "--vault-pass-file",
        help="A file with a vault's password, or a program that prints it.",
        rich_help_panel=_PANEL,
    ),
]
Asks = Annotated[
    bool,
    typer.Option("--ask-vault-pass", "--ask-vault-password", "-J", help="Ask for it.", rich_help_panel=_PANEL),
]
_OPTIONS: dict[str, tuple[Any, Any]] = {
    "vault_id": (VaultIds, []),
    "vault_password_file": (PasswordFiles, []),
    "ask_vault_pass": (Asks, False),
}
"""Names, types and defaults of the parameters that `opens_vaults` adds to a command."""


def opens_vaults(command: Callable[..., None]) -> Callable[..., None]:
    """`command` with the options of vaults: while it works, vaults are opened with the passwords that they name."""

    @wraps(command)
    def with_passwords(*args: Any, **kwargs: Any) -> None:
        ids, files, asks = (kwargs.pop(name) for name in _OPTIONS)
        raise typer.Exit(
            guarded(lambda: _with_keyring(vault_wish(ids, files, asks=asks), lambda: command(*args, **kwargs)))
        )

    own, hints = inspect.signature(command), get_type_hints(command, include_extras=True)
    added = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=kind, default=default)
        for name, (kind, default) in _OPTIONS.items()
    ]
    parameters = [
        one.replace(kind=inspect.Parameter.KEYWORD_ONLY, annotation=hints[name]) for name, one in own.parameters.items()
    ]
    with_passwords.__signature__ = own.replace(parameters=[*parameters, *added])  # type: ignore[attr-defined]
    with_passwords.__annotations__ = {**hints, **{name: kind for name, (kind, _) in _OPTIONS.items()}}
    del with_passwords.__wrapped__  # typer would look at its parameters instead
    return with_passwords


def _with_keyring(wish: Wish, work: Callable[[], None]) -> int:
    """Do `work`, which ends by typer.Exit as all commands do; its exit code."""
    from scupi_provision.vault.keyring import using  # noqa: PLC0415 - keeps `--help` fast
    from scupi_provision.vault.passwords import read_keyring  # noqa: PLC0415

    with using(read_keyring(wish, ask)):
        try:
            work()
        except typer.Exit as end:
            return end.exit_code
    return 0


def vault_wish(ids: list[str], files: list[Path], *, asks: bool) -> Wish:
    """The three options as one value."""
    from scupi_provision.vault.passwords import Wish  # noqa: PLC0415 - keeps `--help` fast

    return Wish(tuple(ids), tuple(map(str, files)), asks)


def ask(prompt: str) -> str:
    """What the person at the terminal types, unseen.

    Raises:
        InputError: Nobody is there.
    """
    if sys.stdin is None or not sys.stdin.isatty():
        hint = "give it by --vault-password-file, or run this at a terminal"
        raise InputError(f"{prompt.rstrip(': ')}: there is no terminal to ask at", hint=hint)
    try:
        return getpass.getpass(prompt)
    except EOFError:
        raise InputError(f"{prompt.rstrip(': ')}: nothing was typed") from None
