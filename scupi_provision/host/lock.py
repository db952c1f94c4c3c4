"""What a host shall get, exactly: files and packages by their hashes, as `provision.lock` has them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from scupi_provision.host.record import TaskFailedError

DRIFT = "not as locked: "
"""How every message begins that tells of a task for which the lock has no answer."""
_AGAIN = "apply without the lock, then make a new one (provision lock)"


class LockDriftError(TaskFailedError):
    """A task asks for something that the lock does not have."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{DRIFT}{what}; {_AGAIN}")


@dataclass(frozen=True)
class LockedPackage:
    """One file of one package.

    Attributes:
        name: As its ecosystem normalises it.
        url: Where it came from.
        sha256: Of the file.
    """

    name: str
    version: str
    url: str
    sha256: str


@dataclass(frozen=True)
class LockedEnvironment:
    """What a Python environment holds.

    Attributes:
        python: Its series, such as "3.11", or "".
        versions: Of every Python package in it, by normalised name; also of those that came with the environment.
        pip: Those that pip installed.
        conda: Packages of conda.
    """

    python: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)
    pip: tuple[LockedPackage, ...] = ()
    conda: tuple[LockedPackage, ...] = ()


@dataclass(frozen=True)
class HostLock:
    """The lock of one host.

    Attributes:
        downloads: Addresses of each file, by its hash.
        environments: By path, those in the home beginning with `~/`.
    """

    downloads: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    environments: Mapping[str, LockedEnvironment] = field(default_factory=dict)

    @cached_property
    def _hashes(self) -> frozenset[str]:
        packages = [one for found in self.environments.values() for one in (*found.pip, *found.conda)]
        return frozenset([*self.downloads, *(one.sha256 for one in packages)])

    def require_download(self, sha256: str | None, url: str) -> None:
        """Fail when the file is not in the lock."""
        if sha256 is None:
            raise LockDriftError(f"{url} is asked for without a checksum")
        if sha256 not in self._hashes:
            raise LockDriftError(f"{url} (sha256 {sha256[:16]}…) is not in the lock")

    def environment(self, path: str, home: str) -> LockedEnvironment:
        """What the environment at the absolute `path` shall hold; fails when the lock does not know it."""
        found = self.environments.get(from_home(path, home))
        if found is None:
            raise LockDriftError(f"the environment {from_home(path, home)} is not in the lock")
        return found


@dataclass(frozen=True)
class Download:
    """A task rests on this file, whether or not it has to be downloaded now."""

    urls: tuple[str, ...]
    sha256: str


@dataclass(frozen=True)
class Environment:
    """A task rests on this Python environment.

    Attributes:
        path: Where it appears, absolute.
        prefix: Where it really is.
    """

    path: str
    prefix: str


Declared = Download | Environment
"""What a step rests on that a lock has to hold."""


def from_home(path: str, home: str) -> str:
    """`path` as it is named on every account: `~/…` below the home."""
    return f"~{path[len(home) :]}" if path == home or path.startswith(f"{home}/") else path
