"""What is at a path: the smallest description that a plan may rely on and that a shell can check again."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum


class Kind(str, Enum):
    """What kind of thing a path names. The values are the letters that `runtime.sh` prints."""

    ABSENT = "-"
    FILE = "f"
    DIRECTORY = "d"
    LINK = "l"
    OTHER = "o"


@dataclass(frozen=True)
class Entry:
    """One path as it is (or will be).

    Attributes:
        kind: Never follows a symbolic link.
        mode: Permission bits 0..07777; None for absent paths and links.
        size: Bytes, for files.
        digest: SHA-256 of a file's content in lower-case hex; None when it could not be read.
        target: Where a link points, byte for byte.
        uid, gid: Whose it is, as numbers; None where that is not told, and for what a plan makes (the account's own).
    """

    kind: Kind
    mode: int | None = None
    size: int | None = None
    digest: str | None = None
    target: str | None = None
    uid: int | None = field(default=None, compare=False)
    gid: int | None = field(default=None, compare=False)

    @property
    def exists(self) -> bool:
        """Whether anything is there (a dangling link is something)."""
        return self.kind is not Kind.ABSENT


ABSENT = Entry(Kind.ABSENT)
