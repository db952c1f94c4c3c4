"""Makes an environment have certain packages, and tells what that means."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import rattler
from rattler.exceptions import InstallerError

from .errors import CondaError
from .places import package_caches

Record = TypeVar("Record", bound=rattler.RepoDataRecord)


@dataclass(frozen=True)
class Change:
    """What comes to an environment and what goes."""

    link: tuple[rattler.RepoDataRecord, ...]
    unlink: tuple[rattler.RepoDataRecord, ...]

    def __bool__(self) -> bool:
        return bool(self.link or self.unlink)

    @property
    def described(self) -> str:
        """As conda lists it."""
        groups = (("NEW packages will be INSTALLED", self.link), ("packages will be REMOVED", self.unlink))
        texts = []
        for words, records in groups:
            lines = "".join(f"\n  {record.name.normalized:<20} {distribution(record)}" for record in records)
            texts += [f"The following {words}:\n{lines}\n"] if lines else []
        return "\n".join(texts)

    def actions(self, prefix: Path) -> dict[str, object]:
        """For --json, in conda's form."""
        return {
            "PREFIX": str(prefix),
            "LINK": [_as_data(record) for record in self.link],
            "UNLINK": [_as_data(record) for record in self.unlink],
        }


def change(installed: Sequence[rattler.RepoDataRecord], desired: Sequence[rattler.RepoDataRecord]) -> Change:
    """The difference, each side sorted so that what is needed comes first."""
    before, after = ({_key(record): record for record in records} for records in (installed, desired))
    link = [record for key, record in after.items() if key not in before]
    unlink = [record for key, record in before.items() if key not in after]
    return Change(tuple(in_order(link)), tuple(in_order(unlink)))


def in_order(records: Sequence[Record]) -> list[Record]:
    """The records sorted so that what is needed comes first; py-rattler itself gives back plain package records."""
    by_key = {_key(record): record for record in records}
    return [by_key[_key(record)] for record in rattler.PackageRecord.sort_topologically(list(records))]


def installed_records(prefix: Path) -> list[rattler.PrefixRecord]:
    """What is installed, sorted by file name.

    Raises:
        CondaError: A record cannot be read.
    """
    paths = sorted(prefix.glob("conda-meta/*.json"))
    try:
        return [rattler.PrefixRecord.from_path(path) for path in paths]
    except (OSError, ValueError, RuntimeError) as error:
        raise CondaError("CorruptedEnvironmentError", f"{prefix}: {error}") from error


async def link(prefix: Path, desired: Sequence[rattler.RepoDataRecord], *, offline: bool) -> None:
    """Fetch, unpack and link what is missing, and unlink what is not desired.

    Raises:
        CondaError: A package cannot be had or linked.
    """
    cache = package_caches()[0]
    if offline:
        present = {_key(record) for record in installed_records(prefix)}
        _require_cached([record for record in desired if _key(record) not in present])
    try:
        await rattler.install(list(desired), prefix, cache_dir=cache, show_progress=False, execute_link_scripts=False)
    except (InstallerError, OSError) as error:
        raise CondaError("CondaError", str(error)) from error


def _require_cached(desired: Sequence[rattler.RepoDataRecord]) -> None:
    absent = [
        record.url
        for record in desired
        if not record.url.startswith("file:")
        and not any((cache / _stem(record) / "info/index.json").is_file() for cache in package_caches())
    ]
    if absent:
        raise CondaError("OfflineError", "not in the package cache, and offline:\n  " + "\n  ".join(absent))


def note_requests(prefix: Path, specs: Mapping[str, str]) -> None:
    """Write into each record the spec that asked for it, as conda does; py-rattler leaves the field empty."""
    for record in installed_records(prefix):
        path = prefix / "conda-meta" / f"{_stem(record)}.json"
        spec = specs.get(record.name.normalized, "None")
        data = json.loads(path.read_text(encoding="utf-8"))
        if data.get("requested_spec") != spec:
            path.write_text(json.dumps(data | {"requested_spec": spec}, indent=2), encoding="utf-8")


def distribution(record: rattler.RepoDataRecord) -> str:
    """As the history and lists name a package: channel/subdir::name-version-build."""
    return f"{record.channel.rstrip('/')}/{record.subdir}::{_stem(record)}"


def _stem(record: rattler.RepoDataRecord) -> str:
    return f"{record.name.normalized}-{record.version}-{record.build}"


def _key(record: rattler.PackageRecord) -> tuple[str, str, str]:
    return record.name.normalized, str(record.version), str(record.build)


def _as_data(record: rattler.RepoDataRecord) -> dict[str, object]:
    return {
        "name": record.name.normalized,
        "version": str(record.version),
        "build_string": str(record.build),
        "channel": record.channel,
        "platform": record.subdir,
        "dist_name": _stem(record),
    }
