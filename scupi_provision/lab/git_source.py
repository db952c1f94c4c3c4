"""The real source tarball of git: from upstream where it can be reached, else from the Linux distribution's archive."""

from __future__ import annotations

import hashlib
import json
import platform
import shutil
import tarfile
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from scupi_provision.errors import ProvisionError
from scupi_provision.lab.apt_source import AptTarball, source_tarball
from scupi_provision.lab.state import write_atomically

GIT_VERSION = "2.51.0"
GIT_SHA256 = "60a7c2251cc2e588d5cd87bae567260617c6de0c22dca9cdbfc4c7d2b8990b62"
_UPSTREAM = "https://www.kernel.org/pub/software/scm/git/"
_CONNECT_TIMEOUT_S = 6.0
_CHUNK = 1 << 20


@dataclass(frozen=True)
class GitSource:
    """A tarball of git in the lab's cache.

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


def git_source(cache: Path, progress: Callable[[str], None]) -> GitSource:
    """The tarball from `cache`, fetched first when it is not there.

    Raises:
        ProvisionError: It can be had neither from upstream nor from the distribution.
    """
    cache.mkdir(parents=True, exist_ok=True)
    record = cache / "source.json"
    if known := _cached(cache, record):
        return known
    attempts: list[str] = []
    source = _from_upstream(cache, progress, attempts) or _from_distribution(cache, progress, attempts)
    if source is None:
        raise ProvisionError(
            "the lab's mirror needs the source tarball of git, and it cannot be had",
            detail="\n".join(attempts),
            hint="connect to the internet once; the tarball is kept in the cache after that",
        )
    write_atomically(record, json.dumps(asdict(source), indent=2) + "\n")
    return source


def _cached(cache: Path, record: Path) -> GitSource | None:
    try:
        source = GitSource(**json.loads(record.read_text(encoding="utf-8")))
        return source if _sha256(cache / source.file) == source.sha256 else None
    except (OSError, ValueError, TypeError):
        return None


def _from_upstream(cache: Path, progress: Callable[[str], None], attempts: list[str]) -> GitSource | None:
    name = f"git-{GIT_VERSION}.tar.xz"
    url = _UPSTREAM + name
    progress(f"fetching git {GIT_VERSION} from upstream")
    partial = cache / f".{name}.part"
    try:
        with (
            urllib.request.urlopen(url, timeout=_CONNECT_TIMEOUT_S) as reply,  # noqa: S310 - a constant https URL
            partial.open("wb") as file,
        ):
            shutil.copyfileobj(reply, file, _CHUNK)
    except OSError as error:
        attempts.append(f"{url}: {getattr(error, 'reason', error)}")
        return None
    seen = _sha256(partial)
    if seen != GIT_SHA256:
        attempts.append(f"{url}: its sha256 is {seen}, not the expected {GIT_SHA256}")
        return None
    return _keep(partial, cache / name, GIT_VERSION, f"git {GIT_VERSION} from upstream")


def _from_distribution(cache: Path, progress: Callable[[str], None], attempts: list[str]) -> GitSource | None:
    if not shutil.which("apt-get"):
        attempts.append("apt-get source git: this system has no apt-get")
        return None
    distribution = _distribution_name()
    progress(f"upstream is out of reach; asking {distribution}'s source archive for git (apt-get source)")
    with tempfile.TemporaryDirectory(prefix=".apt-", dir=cache) as workspace:
        found = source_tarball("git", Path(workspace))
        if not isinstance(found, AptTarball):
            attempts.append(f"apt-get source git: exit status {found.status}\n{found.tail}")
            return None
        origin = f"git {found.version} from {distribution}'s copy of the upstream source tarball"
        return _keep(found.path, cache / f"git-{found.version}.tar.{found.suffix}", found.version, origin)


def _keep(fetched: Path, final: Path, version: str, origin: str) -> GitSource:
    with tarfile.open(fetched) as archive:
        has_configure = any(member.name == f"git-{version}/configure" for member in archive)
    fetched.replace(final)
    return GitSource(version, _sha256(final), final.name, origin, has_configure)


def _distribution_name() -> str:
    try:
        return platform.freedesktop_os_release()["NAME"].split()[0]
    except (OSError, KeyError, IndexError):
        return "the distribution"


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
