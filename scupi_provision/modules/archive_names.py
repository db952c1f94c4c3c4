"""Archives by their names, and what is in those that are at hand."""

from __future__ import annotations

import io
import tarfile
import zipfile
from fnmatch import fnmatchcase

from scupi_provision.host.record import TaskFailedError

_ENDINGS = {
    ".zip": "zip", ".whl": "zip", ".jar": "zip", ".gz": "gzip", ".tgz": "gzip", ".bz2": "bzip2", ".tbz2": "bzip2",
    ".xz": "xz", ".txz": "xz", ".zst": "zstd", ".tzst": "zstd",
}  # fmt: skip


def format_of(name: str) -> str:
    """`zip`, `tar`, or the program that makes a tar archive of it."""
    return next((program for ending, program in _ENDINGS.items() if name.lower().endswith(ending)), "tar")


def members_of(name: str, content: bytes) -> list[str]:
    """The names in an archive of the controller; folders end in `/`.

    Raises:
        TaskFailedError: It is none, or this Python cannot open it.
    """
    try:
        if format_of(name) == "zip":
            return zipfile.ZipFile(io.BytesIO(content)).namelist()
        with tarfile.open(fileobj=io.BytesIO(content)) as archive:
            return [one.name + "/" * one.isdir() for one in archive]
    except (tarfile.TarError, zipfile.BadZipFile, EOFError, OSError) as error:
        raise TaskFailedError(f"{name} cannot be read as an archive: {error}") from None


def left(members: list[str], include: list[str], exclude: list[str]) -> list[str]:
    """Those that are unpacked."""
    chosen = [name for name in members if not include or any(_is(name, one) for one in include)]
    return [name for name in chosen if not any(_is(name, one) for one in exclude)]


def _is(name: str, pattern: str) -> bool:
    pattern, name = pattern.rstrip("/"), name.rstrip("/")
    return fnmatchcase(name, pattern) or name.startswith(pattern + "/")
