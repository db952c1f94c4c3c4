"""What is installed in an environment, with address and hash, from the files that pip and conda have left."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from packaging.utils import canonicalize_name

from scupi_provision.host.lock import LockedEnvironment, LockedPackage
from scupi_provision.host.view import HostView
from scupi_provision.modules.python.requirements import installed

_CAME_WITH_IT = frozenset({"pip", "setuptools", "wheel"})
"""Packages that a new environment has without anybody's asking; their files are a part of Python's own."""
_LISTED = re.compile(r"(?P<name>\S+)==(?P<version>\S+) --hash=sha256:(?P<sha256>[0-9a-f]{64})  # (?P<url>\S+)")
"""A line of the list that pip was given by a lock (modules.pip_locked)."""
_HASH = re.compile(r"[0-9a-f]{64}")


def read_environment(host: HostView, prefix: str) -> tuple[LockedEnvironment, tuple[str, ...]]:
    """What a lock holds of the environment at `prefix`, and the packages whose origin nothing tells.

    Those were installed by hand, or by a pip that leaves no report (before 22.2).
    """
    infos, records = f"{prefix}/lib/python*/site-packages/*.dist-info", f"{prefix}/conda-meta/*.json"
    reports, lists = f"{prefix}/.provision/*.json", f"{prefix}/.provision/*.txt"
    host.want(names=[infos, reports, lists, records])
    host.want(contents=[path for pattern in (reports, lists, records) for path in host.names(pattern)])
    have = installed(host.names(infos))
    told = {key: package for path in host.names(reports) for key, package in _reported(host.content(path))}
    told |= {key: package for path in host.names(lists) for key, package in _listed(host.content(path))}
    pip = [told[key] for key in have.versions.items() if key in told]
    conda = [package for path in host.names(records) if (package := _recorded(host.content(path)))]
    known = {one.name for one in pip} | {_python_name(one) for one in conda} | _CAME_WITH_IT
    unknown = (
        () if conda else tuple(f"{name} {version}" for name, version in have.versions.items() if name not in known)
    )
    return LockedEnvironment(have.python, dict(have.versions), tuple(pip), tuple(conda)), unknown


def _python_name(package: LockedPackage) -> str:
    return canonicalize_name(package.name)


def _document(content: bytes) -> Mapping[str, Any]:
    try:
        document = json.loads(content)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def _reported(content: bytes) -> Iterator[tuple[tuple[str, str], LockedPackage]]:
    """What a report of pip (`--report`, format 1) says: (name, version) and the package."""
    entries: Iterable[Any] = _document(content).get("install", [])
    for entry in entries if isinstance(entries, list) else []:
        try:
            metadata, download = entry["metadata"], entry["download_info"]
            name, version, url = canonicalize_name(metadata["name"]), str(metadata["version"]), str(download["url"])
            sha256 = str(download["archive_info"]["hashes"]["sha256"])
        except (KeyError, TypeError):
            continue  # from a folder or a repository: there is no file with a hash
        if _HASH.fullmatch(sha256):
            yield (name, version), LockedPackage(name, version, url, sha256)


def _listed(content: bytes) -> Iterator[tuple[tuple[str, str], LockedPackage]]:
    """As `_reported`, from the list of a locked installation."""
    for match in map(_LISTED.fullmatch, content.decode("utf-8", "replace").splitlines()):
        if match:
            name = canonicalize_name(match["name"])
            yield (name, match["version"]), LockedPackage(name, match["version"], match["url"], match["sha256"])


def _recorded(content: bytes) -> LockedPackage | None:
    """What a record in `conda-meta` says of its package."""
    record = _document(content)
    fields = [str(record.get(key, "")) for key in ("name", "version", "url", "sha256")]
    return LockedPackage(*fields) if all(fields[:3]) and _HASH.fullmatch(fields[3]) else None
