"""The real source tarball of a project: from upstream where it can be reached, else from the distribution's archive."""

from __future__ import annotations

import hashlib
import json
import platform
import shlex
import shutil
import tarfile
import tempfile
import urllib.request
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from scupi_provision.lab.apt_source import AptTarball, source_tarball
from scupi_provision.lab.controller import run_here
from scupi_provision.lab.state import write_atomically

_CONNECT_TIMEOUT_S = 6.0
_REPACK_TIMEOUT_S = 180
_CHUNK = 1 << 20


@dataclass(frozen=True)
class Release:
    """A release as upstream publishes it, and the distribution's package that is made from the same sources.

    Attributes:
        project: For messages, for example "git".
        version: The release that upstream is asked for.
        url: Of the tarball; its last part is the name that the mirror serves.
        sha256: Of the tarball; "" where https is the only witness (a release that is not known beforehand).
        package: The source package that Debian and Ubuntu keep.
        folder: The one folder in the tarball and the stem of its file name, with `{version}` in it.
    """

    project: str
    version: str
    url: str
    sha256: str
    package: str
    folder: str


@dataclass(frozen=True)
class SourceTarball:
    """A tarball in the lab's cache.

    Attributes:
        version: For example "2.51.0".
        sha256: Of the file, in hexadecimal.
        file: Its name in the cache, as upstream names it.
        origin: Where it came from, in words for the report.
        has_configure: Whether it contains `configure`, so that autoconf is not needed.
    """

    version: str
    sha256: str
    file: str
    origin: str
    has_configure: bool


def tarball(
    release: Release, cache: Path, progress: Callable[[str], None], attempts: list[str]
) -> SourceTarball | None:
    """The tarball from `cache`, fetched first when it is not there.

    Args:
        release: What is wanted.
        cache: A folder for this project alone.
        progress: Told what happens.
        attempts: Gets what was tried in vain, one text each.

    Returns:
        None where neither upstream nor the distribution gives it.
    """
    cache.mkdir(parents=True, exist_ok=True)
    record = cache / "source.json"
    if known := _cached(cache, record):
        return known
    source = _from_upstream(release, cache, progress, attempts)
    source = source or _from_distribution(release, cache, progress, attempts)
    if source:
        write_atomically(record, json.dumps(asdict(source), indent=2) + "\n")
    return source


def _cached(cache: Path, record: Path) -> SourceTarball | None:
    try:
        source = SourceTarball(**json.loads(record.read_text(encoding="utf-8")))
        return source if file_sha256(cache / source.file) == source.sha256 else None
    except (OSError, ValueError, TypeError):
        return None


def _from_upstream(
    release: Release, cache: Path, progress: Callable[[str], None], attempts: list[str]
) -> SourceTarball | None:
    progress(f"fetching {release.project} {release.version} from upstream")
    final = cache / release.url.rpartition("/")[2]
    if download(release.url, release.sha256, final, attempts):
        return _described(release, final, release.version, f"{release.project} {release.version} from upstream")
    return None


def download(url: str, sha256: str, final: Path, attempts: list[str]) -> bool:
    """Fetch `url` to `final`, which appears whole and, where `sha256` is given, with that hash; else note why not."""
    partial = final.with_name(f".{final.name}.part")
    try:
        with (
            urllib.request.urlopen(url, timeout=_CONNECT_TIMEOUT_S) as reply,  # noqa: S310 - constant https URLs
            partial.open("wb") as file,
        ):
            shutil.copyfileobj(reply, file, _CHUNK)
    except OSError as error:
        attempts.append(f"{url}: {getattr(error, 'reason', error)}")
        return False
    seen = file_sha256(partial)
    if sha256 and seen != sha256:
        attempts.append(f"{url}: its sha256 is {seen}, not the expected {sha256}")
        return False
    partial.replace(final)
    return True


def _from_distribution(
    release: Release, cache: Path, progress: Callable[[str], None], attempts: list[str]
) -> SourceTarball | None:
    if not shutil.which("apt-get"):
        attempts.append(f"apt-get source {release.package}: this system has no apt-get")
        return None
    name = _distribution_name()
    progress(f"upstream is out of reach; asking {name}'s source archive for {release.project} (apt-get source)")
    with tempfile.TemporaryDirectory(prefix=".apt-", dir=cache) as workspace:
        found = source_tarball(release.package, Path(workspace))
        if not isinstance(found, AptTarball):
            attempts.append(f"apt-get source {release.package}: exit status {found.status}\n{found.tail}")
            return None
        final = cache / f"{release.folder.format(version=found.version)}.tar.xz"
        if not _keep_as_xz(found, final, attempts):
            return None
        origin = f"{release.project} {found.version} from {name}'s copy of the upstream source tarball"
        return _described(release, final, found.version, origin)


def _keep_as_xz(found: AptTarball, final: Path, attempts: list[str]) -> bool:
    """Some packages keep a .tar.gz; the same archive is served under the .tar.xz name that upstream has too."""
    if found.suffix == "xz":
        found.path.replace(final)
        return True
    line = f"gzip -dc {shlex.quote(str(found.path))} | xz -T0 -1 >{shlex.quote(str(found.path))}.xz"
    ran = run_here(["sh", "-c", line], directory=found.path.parent, timeout_s=_REPACK_TIMEOUT_S)
    if ran.status != 0:
        attempts.append(f"xz {found.path.name}: exit status {ran.status}\n{ran.tail}")
        return False
    found.path.with_name(found.path.name + ".xz").replace(final)
    return True


def _described(release: Release, file: Path, version: str, origin: str) -> SourceTarball:
    configure = f"{release.folder.format(version=version)}/configure"
    with tarfile.open(file) as archive:
        has_configure = any(member.name == configure for member in archive)
    return SourceTarball(version, file_sha256(file), file.name, origin, has_configure)


def _distribution_name() -> str:
    try:
        return platform.freedesktop_os_release()["NAME"].split()[0]
    except (OSError, KeyError, IndexError):
        return "the distribution"


def file_sha256(path: Path) -> str:
    """The hash of a file in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
