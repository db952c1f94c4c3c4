"""A bundle: everything that a lock names, in one file that needs no internet where it is used."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from scupi_provision.errors import InputError, ProvisionError
from scupi_provision.run.blobs import Amount, Blob, Obtaining, Stock
from scupi_provision.run.lock_file import DEFAULT_NAME, SiteLock, format_lock, parse_lock

_FILES = "files/"
"""Ahead of the hash in the name of a member."""
_MOST_SHOWN = 12


@dataclass(frozen=True)
class Bundle:
    """An open bundle.

    Attributes:
        path: The file, a tar archive that is not compressed: what is in it already is.
        lock: What it was made for.
        blobs: Its files by their hash.
    """

    path: Path
    lock: SiteLock
    blobs: Mapping[str, Blob]

    def obtain(self, urls: Sequence[str], sha256: str | None) -> Obtaining:
        """The file with this hash; nothing else is ever asked.

        Raises:
            ProvisionError: It is not in the bundle, or not what its name says.
        """
        blob = self.blobs.get(sha256 or "")
        if blob is None:
            raise ProvisionError(f"{urls[0] if urls else sha256} is not in the bundle {self.path}")
        yield Amount(0, blob.size)
        if blob.digest(blob.size) != blob.sha256:
            raise ProvisionError(f"the bundle {self.path} is damaged: {blob.sha256[:16]}… has another content")
        return blob


def open_bundle(path: Path) -> Bundle:
    """The bundle in a file.

    Raises:
        InputError: It is not there, it is no bundle, or something of its lock is missing in it.
    """
    try:
        with tarfile.open(path, "r:") as archive:
            text = archive.extractfile(DEFAULT_NAME)
            lock = parse_lock(text.read().decode("utf-8") if text else "", f"{path}:{DEFAULT_NAME}")
            blobs = {
                sha256: Blob(path, sha256, member.size, member.offset_data)
                for member in archive
                if member.isfile() and (sha256 := member.name.removeprefix(_FILES)) != member.name
            }
    except OSError as error:
        raise InputError(f"the bundle {path} cannot be read: {error.strerror}") from error
    except (tarfile.TarError, KeyError, UnicodeDecodeError) as error:
        hint = "make one: provision bundle provision.lock -o FILE"
        raise InputError(f"{path} is no bundle of provision, or was cut short", detail=str(error), hint=hint) from error
    missing = [f"{sha256[:16]}… ({urls[0]})" for sha256, urls in lock.files().items() if sha256 not in blobs]
    if missing:
        raise InputError(
            f"the bundle {path} lacks {len(missing)} of the files that its lock names",
            detail="\n".join(missing[:_MOST_SHOWN]),
            hint="make it anew: provision bundle provision.lock -o FILE",
        )
    return Bundle(path, lock, blobs)


@dataclass(frozen=True)
class Packed:
    """One file is in the bundle now."""

    number: int
    count: int
    name: str
    size: int


def write_bundle(lock: SiteLock, stock: Stock, path: Path) -> Iterator[Packed]:
    """Write everything that `lock` names to `path`, which appears when it is whole.

    Raises:
        ProvisionError: A file cannot be had, or the bundle cannot be written.
    """
    _refuse_sources(lock)
    part = path.with_name(f"{path.name}.part")
    files = lock.files()
    try:
        with tarfile.open(part, "w", format=tarfile.PAX_FORMAT) as archive:
            text = format_lock(lock).encode()
            archive.addfile(_member(DEFAULT_NAME, len(text)), io.BytesIO(text))
            for number, (sha256, urls) in enumerate(files.items(), 1):
                blob = _obtained(stock, urls, sha256)
                with blob.path.open("rb") as file:
                    file.seek(blob.start)
                    archive.addfile(_member(f"{_FILES}{sha256}", blob.size), file)
                yield Packed(number, len(files), urls[0].rpartition("/")[2], blob.size)
        part.replace(path)
    except OSError as error:
        raise InputError(f"the bundle cannot be written: {error}") from error
    finally:
        part.unlink(missing_ok=True)


def _obtained(stock: Stock, urls: Sequence[str], sha256: str) -> Blob:
    found: list[Blob] = []

    def work() -> Iterator[Amount]:
        found.append((yield from stock.obtain(urls, sha256)))

    for _ in work():  # how far it is, is told file by file
        pass
    return found[0]


def _member(name: str, size: int) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size, member.mode = size, 0o644
    return member


def _refuse_sources(lock: SiteLock) -> None:
    """A package that has to be built needs more packages, which no report tells of."""
    packages = [one for host in lock.hosts.values() for found in host.environments.values() for one in found.pip]
    sources = sorted({f"{one.name} {one.version}" for one in packages if not one.url.split("#")[0].endswith(".whl")})
    if sources:
        raise ProvisionError(
            "these packages were built on the host from their source, which cannot be done without internet",
            detail=", ".join(sources),
            hint="install them as wheels (pip: only_binary: true), then make a new lock",
        )
