"""Files that only their owner may read, written so that there is never a half one, nor one with a wider mode."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from scupi_provision.errors import InputError


def write_file(path: Path, content: bytes, mode: int) -> None:
    """Make a new file; raises InputError when there is one, or it cannot be written."""
    try:
        _create(path, content, mode)
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror}") from error


def replace_file(path: Path, content: bytes, mode: int) -> None:
    """Put a file in the place of another (or of none) by one rename; what a link names is replaced, not the link."""
    target = path.resolve()
    fresh = target.with_name(f".{target.name}.{secrets.token_hex(4)}.new")
    try:
        try:
            _create(fresh, content, mode)
            fresh.replace(target)
        finally:
            fresh.unlink(missing_ok=True)
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror}") from error


def _create(path: Path, content: bytes, mode: int) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    path.chmod(mode)
