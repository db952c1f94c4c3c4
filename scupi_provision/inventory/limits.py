"""`--limit`: a pattern that narrows every play, and the files of patterns that it may name."""

from __future__ import annotations

from pathlib import Path

from scupi_provision.errors import InputError
from scupi_provision.inventory.patterns import split_pattern


def read_limit(limit: str) -> str:
    """`limit` with every `@FILE` replaced by the patterns in that file, one a line.

    Raises:
        InputError: There is no such file, or it names nobody: an empty limit would mean everybody.
    """
    parts = []
    for part in split_pattern(limit):
        parts += _lines_of(Path(part[1:])) if part.startswith("@") else [part]
    return ",".join(parts)


def _lines_of(path: Path) -> list[str]:
    try:
        lines = [line.strip() for line in path.expanduser().read_text(encoding="utf-8").splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise InputError(f"--limit @{path}: the file cannot be read", detail=str(reason)) from error
    found = [part for line in lines if line for part in split_pattern(line)]
    if not found:
        raise InputError(f"--limit @{path}: the file names no hosts", hint="write one pattern a line")
    return found
