"""Large files on the controller, known by their hash, and where they come from."""

from __future__ import annotations

import hashlib
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NamedTuple, Protocol

CHUNK = 256 * 1024
"""Bytes that are read and sent at once: a file of any size takes this much memory."""


@dataclass(frozen=True)
class Blob:
    """Bytes in a file of this computer, or in a part of one.

    Attributes:
        path: The file.
        sha256: What the bytes hash to.
        size: How many they are.
        start: Where they begin in the file.
    """

    path: Path
    sha256: str
    size: int
    start: int = 0

    def chunks(self, begin: int = 0, end: int | None = None) -> Iterator[bytes]:
        """The bytes from `begin` up to `end`, in pieces."""
        left = (self.size if end is None else min(end, self.size)) - begin
        with self.path.open("rb") as file:
            file.seek(self.start + begin)
            while left > 0 and (data := file.read(min(CHUNK, left))):
                left -= len(data)
                yield data

    def digest(self, length: int) -> str:
        """What the first `length` bytes hash to."""
        found = hashlib.sha256()
        for data in self.chunks(0, length):
            found.update(data)
        return found.hexdigest()


class Amount(NamedTuple):
    """How far something large has come, in bytes; `whole` is None when nobody said."""

    done: int
    whole: int | None


Obtaining = Generator[Amount, None, Blob]
"""Tells how far it is, and gives the file in the end."""


class Stock(Protocol):
    """Where the controller has files from: its cache and the internet, or a bundle."""

    def obtain(self, urls: Sequence[str], sha256: str | None) -> Obtaining:
        """MUST give a file that hashes to `sha256`, or raise ProvisionError with the reason for each source."""


def digest_of(file: BinaryIO) -> str:
    """The SHA-256 of what is left to read of an open file, in hexadecimal."""
    found = hashlib.sha256()
    while data := file.read(CHUNK):
        found.update(data)
    return found.hexdigest()
