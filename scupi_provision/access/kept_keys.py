"""Where the keys of accounts are kept on this computer: `~/.ssh/scupi_<id>`, for its owner alone."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from scupi_provision.access.downloaded import is_same_key
from scupi_provision.errors import InputError

_OWNER_ONLY = 0o600
_FOLDER_MODE = 0o700


def key_path(identifier: str) -> Path:
    """Where the downloaded key of an account is kept."""
    return Path.home() / ".ssh" / f"scupi_{identifier}"


def own_key_path(identifier: str) -> Path:
    """Where the key is that was made here for an account."""
    return Path.home() / ".ssh" / f"scupi_{identifier}_ed25519"


def as_written(path: Path) -> str:
    """How the inventory names a key: with `~/` where it is below the home, so that it is right on other computers."""
    try:
        return f"~/{path.relative_to(Path.home()).as_posix()}"
    except ValueError:
        return str(path)


@dataclass(frozen=True)
class KeptKey:
    """A key that has its place.

    Attributes:
        path: Its place.
        is_new: Whether it was put there just now.
        previous: Where the key went that was there before, or None.
    """

    path: Path
    is_new: bool
    previous: Path | None = None

    def undo(self) -> None:
        """Everything as it was before `keep_key`."""
        if self.is_new:
            self.path.unlink(missing_ok=True)
        if self.previous is not None:
            self.previous.replace(self.path)


def refuse_other_key(path: Path, content: bytes) -> None:
    """Raise InputError when another key than this is at `path`."""
    if path.exists() and not is_same_key(path.read_bytes(), content):
        raise InputError(
            f"{path} is there already, and it is another key",
            hint="if the new one is right, say --replace: the old one is kept beside it",
        )


def keep_key(path: Path, content: bytes, *, replace: bool = False) -> KeptKey:
    """Put a private key at `path`: mode 0600 from the beginning, whole or not at all; its folder is made when needed.

    Args:
        path: Its place.
        content: The key.
        replace: Whether another key that is there makes room; it is kept beside this one.

    Raises:
        InputError: Another key is there, or the place cannot be written.
    """
    try:
        if path.exists() and is_same_key(path.read_bytes(), content):
            path.chmod(_OWNER_ONLY)
            return KeptKey(path, is_new=False)
        if not replace:
            refuse_other_key(path, content)
        return _put(path, content)
    except OSError as error:
        raise InputError(f"{path} cannot be written", detail=str(error.strerror)) from error


def write_owned(path: Path, content: bytes) -> None:
    """A file for its owner alone, in one rename."""
    if not path.parent.exists():
        path.parent.mkdir(mode=_FOLDER_MODE, parents=True)
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)


def _put(path: Path, content: bytes) -> KeptKey:
    previous = None
    if path.exists() or path.is_symlink():
        previous = _free_name(path)
        path.rename(previous)
    kept = KeptKey(path, is_new=True, previous=previous)
    try:
        write_owned(path, content)
    except BaseException:
        kept.undo()
        raise
    return kept


def _free_name(path: Path) -> Path:
    names = (path.with_name(f"{path.name}.replaced{number or ''}") for number in range(1000))
    return next(name for name in names if not name.exists())
