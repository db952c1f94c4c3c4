"""The file of host keys that were trusted through us: one more line, or one in place of others."""

from __future__ import annotations

import os
import secrets
from collections.abc import Collection
from pathlib import Path

_BINARY = getattr(os, "O_BINARY", 0)  # Windows would make CRLF of line breaks
_APPEND = os.O_WRONLY | os.O_APPEND | os.O_CREAT | _BINARY
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY


def remember(file: Path, line: str) -> None:
    """Append `line`; a file that is new is made for its owner alone, one without a last line break gets it."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    there = file.read_bytes() if file.exists() else b""
    unfinished = there != b"" and not there.endswith(b"\n")
    with os.fdopen(os.open(file, _APPEND, 0o600), "wb") as known:
        known.write((b"\n" if unfinished else b"") + line.encode("ascii") + b"\n")


def exchange(file: Path, outdated: Collection[int], lines: Collection[str]) -> None:
    """Take the lines with the numbers `outdated` (from 1) out and append `lines`: in one step, or not at all."""
    content = file.read_bytes() if file.exists() else b""
    there = content.removesuffix(b"\n").split(b"\n") if content else []
    kept = [line for number, line in enumerate(there, start=1) if number not in outdated]
    put(file, b"".join(line + b"\n" for line in (*kept, *(line.encode("ascii") for line in lines))))


def put(file: Path, content: bytes) -> None:
    """Write `content` beside the file and then in its place; its mode stays, a new file is its owner's alone.

    A symbolic link stays one: what it points to is replaced.
    """
    target = file.resolve()
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    mode = target.stat().st_mode & 0o777 if target.exists() else 0o600
    beside = target.with_name(f".{target.name}.{secrets.token_hex(6)}")
    descriptor = os.open(beside, _NEW, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as new:
            new.write(content)
            new.flush()
            os.fsync(new.fileno())
        beside.chmod(mode)
        beside.replace(target)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
