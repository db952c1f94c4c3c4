"""`provision.lock`: what a site has installed, exactly, and for what machines. The same lock is the same text."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from scupi_provision.errors import InputError
from scupi_provision.host.lock import HostLock, LockedEnvironment, LockedPackage

FORMAT = "provision-lock-1"
DEFAULT_NAME = "provision.lock"


@dataclass(frozen=True)
class SiteLock:
    """What a site shall get.

    Attributes:
        facts: By host (its name without the account): what the packages were chosen for.
        hosts: By host.
    """

    facts: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    hosts: Mapping[str, HostLock] = field(default_factory=dict)

    def files(self) -> dict[str, tuple[str, ...]]:
        """Addresses of every file, by its hash, in the order of the hashes."""
        found: dict[str, tuple[str, ...]] = {}
        for host in self.hosts.values():
            found |= {sha256: tuple(urls) for sha256, urls in host.downloads.items()}
            for environment in host.environments.values():
                found |= {one.sha256: (one.url,) for one in (*environment.pip, *environment.conda)}
        return dict(sorted(found.items()))


def format_lock(lock: SiteLock) -> str:
    """The text of the file; the same lock gives the same text."""
    document = {
        "format": FORMAT,
        "facts": {name: dict(facts) for name, facts in lock.facts.items()},
        "hosts": {name: _host(host) for name, host in lock.hosts.items()},
    }
    return json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def _host(host: HostLock) -> dict[str, Any]:
    environments = {
        path: {
            "python": found.python,
            "versions": dict(found.versions),
            "pip": _packages(found.pip),
            "conda": _packages(found.conda),
        }
        for path, found in host.environments.items()
    }
    downloads = [{"sha256": sha256, "urls": list(urls)} for sha256, urls in sorted(host.downloads.items())]
    return {"downloads": downloads, "environments": environments}


def _packages(packages: Iterable[LockedPackage]) -> list[dict[str, str]]:
    return [vars(one) for one in sorted(packages, key=lambda one: (one.name, one.version))]


def read_lock(path: Path) -> SiteLock:
    """The lock in a file.

    Raises:
        InputError: It is not there, or no such lock.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        hint = "make one from what is installed: provision lock SITE"
        raise InputError(f"the lock {path} cannot be read: {error.strerror}", hint=hint) from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is no lock: it is not text") from error
    return parse_lock(text, str(path))


def parse_lock(text: str, name: str) -> SiteLock:
    """As `read_lock`, from its text; `name` is for messages."""
    try:
        document = json.loads(text)
        if document["format"] != FORMAT:
            hint = "make a new one: provision lock SITE"
            raise InputError(f"{name} was written by another version of provision", hint=hint)
        facts = {str(host): dict(found) for host, found in document["facts"].items()}
        hosts = {str(host): _parse_host(found) for host, found in document["hosts"].items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        what = f"{type(error).__name__}: {error}"
        raise InputError(f"{name} is damaged, or no lock of provision", detail=what) from error
    return SiteLock(facts, hosts)


def _parse_host(document: Mapping[str, Any]) -> HostLock:
    downloads = {_digest(one["sha256"]): tuple(map(str, one["urls"])) for one in document["downloads"]}
    environments = {
        str(path): LockedEnvironment(
            str(found["python"]),
            {str(name): str(version) for name, version in found["versions"].items()},
            tuple(map(_parse_package, found["pip"])),
            tuple(map(_parse_package, found["conda"])),
        )
        for path, found in document["environments"].items()
    }
    return HostLock(downloads, environments)


def _parse_package(document: Mapping[str, Any]) -> LockedPackage:
    name, version, url = (str(document[key]) for key in ("name", "version", "url"))
    return LockedPackage(name, version, url, _digest(document["sha256"]))


def _digest(value: Any) -> str:
    text = str(value)
    if len(text) != 2 * hashlib.sha256().digest_size or not set(text) <= set("0123456789abcdef"):
        raise ValueError(f"{text!r} is no sha256")
    return text
