"""Which packages an environment shall have: by the solver, from a list of URLs, or what is left after a removal."""

from __future__ import annotations

import re
import tempfile
import urllib.parse
from collections.abc import Sequence
from pathlib import Path

import rattler
from rattler.exceptions import DetectVirtualPackageError, GatewayError, SolverError
from rattler.package_streaming import PackageArchive

from .errors import CondaError
from .places import package_caches

_EXPLICIT = re.compile(
    r"(?P<channel>.+)/(?P<subdir>[^/]+)/(?P<file>[^/#]+\.(?:conda|tar\.bz2))"
    r"(?:#(?:(?P<md5>[0-9a-f]{32})|(?:sha256:)?(?P<sha256>[0-9a-f]{64})))?"
)

Records = list[rattler.RepoDataRecord]


async def solve(
    channels: Sequence[str], specs: Sequence[str], installed: Sequence[rattler.RepoDataRecord], *, offline: bool
) -> Records:
    """The best set of packages that satisfies `specs`; what is installed already is preferred.

    CONDA_OVERRIDE_CUDA, CONDA_OVERRIDE_GLIBC and the others say what the machine has.

    Raises:
        CondaError: There is none, in the solver's words; or a channel cannot be read.
    """
    if not channels:
        raise CondaError("NoChannelsConfiguredError", "the stand-in asks only channels that are given: -c URL")
    source = rattler.SourceConfig(
        cache_action="force-cache-only" if offline else "cache-or-fetch", sharded_enabled=False
    )
    gateway = rattler.Gateway(cache_dir=package_caches()[0] / "cache", default_config=source)
    try:
        return await rattler.solve(
            sources=list(channels),
            specs=list(specs),
            gateway=gateway,
            locked_packages=list(installed),
            virtual_packages=rattler.VirtualPackage.detect(overrides=rattler.VirtualPackageOverrides.from_env()),
            channel_relations="disabled",
        )
    except SolverError as error:
        raise CondaError("LibMambaUnsatisfiableError", f"Encountered problems while solving:\n{error}") from error
    except (GatewayError, DetectVirtualPackageError) as error:
        raise CondaError(
            "CondaHTTPError" if isinstance(error, GatewayError) else "CondaValueError", str(error)
        ) from error


async def explicit(urls: Sequence[str], *, offline: bool) -> Records:
    """The packages of an @EXPLICIT list, in its order; nothing is solved.

    Raises:
        CondaError: A line is no URL of a package, or the package cannot be read.
    """
    return [await _explicit(url, offline=offline) for url in urls]


async def _explicit(line: str, *, offline: bool) -> rattler.RepoDataRecord:
    match = _EXPLICIT.fullmatch(line)
    if match is None:
        raise CondaError("ParseError", f"Could not parse explicit URL: {line}")
    url = f"{match['channel']}/{match['subdir']}/{match['file']}"
    content = _cached_index(match["file"]) or await _index_in(url, offline=offline)
    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        file.write(content)
        file.flush()
        record = rattler.PackageRecord.from_index_json(Path(file.name), None, match["sha256"], match["md5"])
    return rattler.RepoDataRecord(record, match["file"], url, f"{match['channel']}/")


def _cached_index(file: str) -> bytes | None:
    """What an unpacked copy says of itself; linking compares its hash later."""
    stem = file.removesuffix(".conda").removesuffix(".tar.bz2")
    for cache in package_caches():
        index = cache / stem / "info/index.json"
        if index.is_file():
            return index.read_bytes()
    return None


async def _index_in(url: str, *, offline: bool) -> bytes:
    """What the package at `url` says of itself; of one that is far, no more than that is fetched."""
    address = urllib.parse.urlsplit(url)
    if offline and address.scheme != "file":
        raise CondaError("OfflineError", f"not in the package cache, and offline:\n  {url}")
    try:
        if address.scheme == "file":
            archive = await PackageArchive.from_path(urllib.parse.unquote(address.path))
        else:
            archive = await PackageArchive.from_url(rattler.Client(), url)
        content = await archive.read_file("info/index.json")
    except (OSError, RuntimeError, ValueError) as error:
        raise CondaError("CondaHTTPError", f"{url}: {error}") from error
    if content is None:
        raise CondaError("CorruptedPackageError", f"{url} has no info/index.json")
    return content


def without(
    installed: Sequence[rattler.RepoDataRecord], names: Sequence[str], wanted: Sequence[str]
) -> tuple[Records, list[str]]:
    """What is left when `names` go, and with them what needs them and what only they needed.

    Args:
        installed: What is there.
        names: What shall go.
        wanted: Names of packages that somebody asked for; these and what they need stay.

    Returns:
        What stays, and the asked-for packages that had to go too.

    Raises:
        CondaError: A name is not installed.
    """
    needs = {record.name.normalized: {_needed(text) for text in record.depends} for record in installed}
    missing = [name for name in names if name not in needs]
    if missing:
        lines = "".join(f"\n  - {name}" for name in missing)
        raise CondaError(
            "PackagesNotFoundError", f"The following packages are missing from the target environment:{lines}"
        )
    gone = set(names)
    while more := {name for name, needed in needs.items() if name not in gone and needed & gone}:
        gone |= more
    kept = ring = {name for name in wanted if name in needs and name not in gone}
    while ring := {needed for name in ring for needed in needs[name] if needed in needs} - kept:
        kept = kept | ring
    return [record for record in installed if record.name.normalized in kept], [n for n in wanted if n in gone]


def _needed(spec: str) -> str:
    """The name in an entry of `depends`."""
    return re.split(r"[\s=<>!~]", spec.strip(), maxsplit=1)[0]
