"""The inventory's file as a person has it: read as bytes, replaced as a whole, never over somebody else's changes."""

from __future__ import annotations

import errno
import os
import stat
import time
from dataclasses import dataclass
from pathlib import Path

from scupi_provision.errors import InputError
from scupi_provision.inventory.sources import is_yaml

_BOM = b"\xef\xbb\xbf"
_ABANDONED_S = 30.0
"""A new file that is older was left by somebody who was killed: writing one takes milliseconds."""
_PATIENCE_S = 5.0


@dataclass(frozen=True)
class InventoryDocument:
    """What an inventory's file held when it was read.

    Attributes:
        path: As it was named.
        content: Its bytes.
    """

    path: Path
    content: bytes

    @classmethod
    def read(cls, path: Path) -> InventoryDocument:
        """Read `path`; raises InputError when it is not there, not text, or not ours to write."""
        if path.is_dir():
            hint = "name the file with `accounts:` in it: --inventory FILE"
            raise InputError(f"{path} is a folder; accounts are written to one file", hint=hint)
        if not path.is_file():
            hint = "name one with --inventory FILE, or make a site with `provision init DIR`"
            raise InputError(f"there is no inventory file {path}", hint=hint)
        try:
            document = cls(path, path.read_bytes())
            writable = bool(path.stat().st_mode & (stat.S_IWUSR | stat.S_IWGRP)) and os.access(path, os.W_OK)
        except OSError as error:
            raise InputError(f"the inventory {path} cannot be read", detail=str(error.strerror)) from error
        if not writable or not os.access(path.resolve().parent, os.W_OK):
            hint = "make the file and its folder writable for you, or copy the site"
            raise InputError(f"the inventory {path} cannot be written", hint=hint)
        try:
            document.content.decode()
        except UnicodeDecodeError as error:
            raise InputError(
                f"the inventory {path} is not UTF-8", detail=str(error), hint="save it as UTF-8"
            ) from error
        if not is_yaml(path, document.text):
            hint = f"put the accounts into a file of their own and name both: -i {path} -i accounts.yaml"
            raise InputError(f"{path} is an INI inventory, which has no `accounts:`", hint=hint)
        return document

    @property
    def text(self) -> str:
        """The content without a byte order mark; line ends as they are."""
        return self.content.removeprefix(_BOM).decode()

    def save(self, text: str) -> InventoryDocument:
        """Put `text` in the file's place, in one rename; mode, byte order mark and a link to the file stay.

        Raises:
            InputError: The file has changed since it was read, or it cannot be written; it is as it was.
        """
        target = self.path.resolve()  # a link to the file stays a link
        content = (_BOM if self.content.startswith(_BOM) else b"") + text.encode()
        fresh = target.with_name(f".{target.name}.new")
        try:
            descriptor = _claim(fresh)
            try:
                self._write(descriptor, target, content)
                fresh.chmod(stat.S_IMODE(target.stat().st_mode))
                fresh.replace(target)
            except BaseException:
                fresh.unlink(missing_ok=True)
                raise
        except OSError as error:
            raise InputError(f"the inventory {self.path} cannot be written", detail=str(error.strerror)) from error
        return InventoryDocument(self.path, content)

    def _write(self, descriptor: int, target: Path, content: bytes) -> None:
        with os.fdopen(descriptor, "wb") as file:
            self._require_unchanged(target)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())

    def _require_unchanged(self, target: Path) -> None:
        if target.read_bytes() != self.content:
            raise InputError(
                f"the inventory {self.path} has been changed by somebody meanwhile; nothing was written to it",
                hint="save it in your editor, and run the same command again",
            )


def _claim(fresh: Path) -> int:
    """Make the new file, which only one can do at a time: whoever has it may compare and replace."""
    deadline = time.monotonic() + _PATIENCE_S
    while (descriptor := _try_to_claim(fresh)) is None:
        if _is_abandoned(fresh):
            fresh.unlink(missing_ok=True)
        elif time.monotonic() > deadline:
            raise FileExistsError(errno.EEXIST, f"{fresh} is there: another run of provision is at it")
        time.sleep(0.01)
    return descriptor


def _try_to_claim(fresh: Path) -> int | None:
    try:
        return os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return None


def _is_abandoned(fresh: Path) -> bool:
    try:
        return time.time() - fresh.stat().st_mtime > _ABANDONED_S
    except FileNotFoundError:
        return False
