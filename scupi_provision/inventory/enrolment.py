"""What somebody asks for who adds or removes accounts, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from scupi_provision.errors import Diagnostic, Position


@dataclass(frozen=True)
class Enrolment:
    """Somebody who shall have an account in the inventory.

    Attributes:
        id: The login name.
        key: The private key's file, as it was downloaded.
        name: How people call the owner, or "".
        groups: Extra groups of this account's hosts.
        where: The line of the list that says so, or None.
    """

    id: str
    key: Path
    name: str = ""
    groups: tuple[str, ...] = ()
    where: Position | None = None


@dataclass(frozen=True)
class EnrolWish:
    """How accounts are added.

    Attributes:
        people: Who.
        connect: Whether a login is tried over every hop before anything is written to the inventory.
        replace: Whether another key of an account that is there makes room.
        own_key: Whether they shall have keys of their own, made here.
        fingerprints: For names of hosts the fingerprint that their key must have.
    """

    people: tuple[Enrolment, ...]
    connect: bool = True
    replace: bool = False
    own_key: bool = False
    fingerprints: Mapping[str, str] = field(default_factory=dict)


class Standing(str, Enum):
    """What became of somebody who was to be added."""

    ADDED = "added"
    THERE = "there already"
    REPLACED = "key replaced"
    FAILED = "not added"


@dataclass(frozen=True)
class LoginTried:
    """One of several accounts has tried to log in.

    Attributes:
        id: The account.
        number: How many have tried by now.
        count: How many will.
        problem: Why it could not, or "".
    """

    id: str
    number: int
    count: int
    problem: str = ""


@dataclass(frozen=True)
class Enrolled:
    """What became of one account.

    Attributes:
        id: The account.
        name: Its owner, or "".
        standing: What became of it.
        key: Where its key is kept; None when it was not added.
        fingerprint: Of the key, or "" when that cannot be told without its passphrase.
        repairs: What is different in the kept key from the downloaded one.
        hosts: Where a login worked, in the order of the way.
        warnings: What else should be known.
        error: Why it was not added.
    """

    id: str
    standing: Standing
    name: str = ""
    key: Path | None = None
    fingerprint: str = ""
    repairs: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    error: Diagnostic | None = None


@dataclass(frozen=True)
class Removed:
    """What became of an account that was taken out.

    Attributes:
        id: The account.
        kept: Its key files that are still there.
        deleted: Those that are not any more.
    """

    id: str
    kept: tuple[Path, ...] = ()
    deleted: tuple[Path, ...] = ()


@dataclass(frozen=True)
class OwnKey:
    """An account that logs in with a key of its own from now on.

    Attributes:
        account: Its id.
        key: The key.
        retired: The key that the inventory named before.
    """

    account: str
    key: Path
    retired: Path

    def __str__(self) -> str:
        return (
            f"logs in with its own key {self.key} now; {self.retired} is not used any more, but it stays, here and in "
            "authorized_keys, because the cluster's own pages log in with it"
        )
