"""Conda for the lab: Miniforge and conda-forge where they can be reached, else a channel and an installer made here."""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import json
import os
import platform
import shutil
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

from scupi_provision.errors import ProvisionError
from scupi_provision.lab.state import write_atomically
from scupi_provision.lab.tarball_source import download, file_sha256
from scupi_provision.lab.wheelhouse import download_wheels

MINIFORGE_VERSION = "26.3.2-3"
# pyenv, share/python-build/miniforge3-26.3.2-3
_MINIFORGE_X86_64_SHA256 = "848194851a98903134187fbb4ab50efe87b003e0c0f808f97644b7524a62bf2c"
_MINIFORGE_RELEASES = "https://github.com/conda-forge/miniforge/releases/download"
_CHANNELS = "https://conda.anaconda.org"
_REACH_TIMEOUT_S = 6.0
_FORGET_AFTER_S = 24 * 3600

_REQUIREMENTS = ("pip", "setuptools", "wheel", "numpy")
_MORE_REQUIREMENTS = ("numpy<2.3",)
"""A second, older version gives the solver something to choose; the newest Pythons have no wheel of it."""

_PARTS = ("archive.py", "bytecode.py", "channel.py", "installer.py", "installer.sh", "interpreter.py", "wheel.py")


@dataclass(frozen=True)
class CondaSource:
    """Where conda comes from in a lab.

    Attributes:
        version: Miniforge's, as in the installer's name.
        sha256: Of the installer.
        folder: In the cache: the installer, and `conda/` with the channels unless upstream's are used.
        installer: The installer's file name.
        channels: Where channel names live upstream; "" when the mirror has them.
        wheels: In the cache: the wheels that packages were made of; "" with upstream's.
        origin: What this is, in words for the report.
    """

    version: str
    sha256: str
    folder: str
    installer: str
    channels: str
    wheels: str
    origin: str


def conda_source(
    cache: Path, progress: Callable[[str], None], *, python: Path | None, closed: bool = False
) -> CondaSource | str:
    """What the mirror shall serve for conda, from `cache` or fetched and made first.

    Args:
        cache: A folder for conda alone.
        progress: Told what happens.
        python: The source tarball of CPython, where there is one (see channel/interpreter.py).
        closed: Whether the lab's nodes reach nothing but the mirror, so that upstream's channel is of no use.

    Returns:
        The source; or, where there can be none, why not.
    """
    cache.mkdir(parents=True, exist_ok=True)
    with _exclusively(cache):
        if not closed and (found := _upstream(cache, progress)):
            return found
        try:
            return _made_here(cache, progress, python)
        except ProvisionError as error:
            return f"no conda in the lab: {error}"


@contextlib.contextmanager
def _exclusively(cache: Path) -> Iterator[None]:
    """Labs share the cache, and making this takes seconds: one at a time, the others wait and find it made."""
    import fcntl  # noqa: PLC0415 - this module must be importable on Windows

    with (cache / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _upstream(cache: Path, progress: Callable[[str], None]) -> CondaSource | None:
    folder = cache / f"miniforge-{MINIFORGE_VERSION}"
    installer = f"Miniforge3-{MINIFORGE_VERSION}-{_platform_name()}.sh"
    record = folder / "source.json"
    if record.exists():
        return CondaSource(**json.loads(record.read_text(encoding="utf-8")))
    if any(cache.glob("made-*/source.json")) or not _reachable(f"{_CHANNELS}/conda-forge/noarch/repodata.json.zst"):
        return None
    progress(f"fetching Miniforge {MINIFORGE_VERSION}")
    folder.mkdir(exist_ok=True)
    sha256 = _MINIFORGE_X86_64_SHA256 if _platform_name() == "Linux-x86_64" else ""
    url = f"{_MINIFORGE_RELEASES}/{MINIFORGE_VERSION}/{installer}"
    if not download(url, sha256, folder / installer, []):
        return None
    source = CondaSource(
        version=MINIFORGE_VERSION,
        sha256=file_sha256(folder / installer),
        folder=folder.name,
        installer=installer,
        channels=_CHANNELS,
        wheels="",
        origin=f"Miniforge {MINIFORGE_VERSION} from upstream",
    )
    write_atomically(record, json.dumps(asdict(source), indent=2) + "\n")
    return source


def _reachable(url: str) -> bool:
    request = urllib.request.Request(url, method="HEAD")  # noqa: S310 - a constant https URL
    try:
        with urllib.request.urlopen(request, timeout=_REACH_TIMEOUT_S):  # noqa: S310
            return True
    except OSError:
        return False


def _made_here(cache: Path, progress: Callable[[str], None], python: Path | None) -> CondaSource:
    for library in ("rattler", "zstandard"):
        if importlib.util.find_spec(library) is None:
            raise ProvisionError(f"{library} is missing", hint="pip install 'scupi-provision[lab]'")
    wheels = _wheels(cache, progress)
    folder = cache / f"made-{_fingerprint(wheels, python)}"
    record = folder / "source.json"
    if not record.exists():
        progress("conda-forge is out of reach; making a channel of real packages and an installer (once)")
        source = _make(folder, wheels, python)
        write_atomically(record, json.dumps(asdict(source), indent=2) + "\n")
        _forget_others(cache, folder)
    os.utime(folder)  # in use
    return CondaSource(**json.loads(record.read_text(encoding="utf-8")))


def _wheels(cache: Path, progress: Callable[[str], None]) -> Path:
    """The wheels that packages are made of; downloaded once for each interpreter and py-rattler."""
    rattler = f"py-rattler=={version('py-rattler')}"
    folder = cache / f"wheels-{sys.implementation.cache_tag}-{version('py-rattler')}"
    if folder.exists():
        return folder
    progress("fetching the wheels that the lab's conda packages are made of")
    with tempfile.TemporaryDirectory(prefix=".wheels-", dir=cache) as workspace:
        wheels = Path(workspace, "wheels")
        ran = download_wheels([*_REQUIREMENTS, rattler], wheels)
        if ran.status != 0:
            raise ProvisionError("pip cannot get the wheels that its packages are made of", detail=ran.tail)
        download_wheels(_MORE_REQUIREMENTS, wheels)
        wheels.rename(folder)
    return folder


def _make(folder: Path, wheels: Path, python: Path | None) -> CondaSource:
    from scupi_provision.lab.channel.channel import make_channels  # noqa: PLC0415 - brings rattler and zstandard
    from scupi_provision.lab.channel.installer import write_installer  # noqa: PLC0415

    installer = f"Miniforge3-{MINIFORGE_VERSION}-{_platform_name()}.sh"
    with tempfile.TemporaryDirectory(prefix=".made-", dir=folder.parent) as workspace:
        made = Path(workspace, "made")
        trees = Path(workspace, "trees")
        trees.mkdir()
        channels = make_channels(made / "conda", wheels, python, trees)
        write_installer(channels, trees, made / installer)
        shutil.rmtree(folder, ignore_errors=True)
        made.rename(folder)
    return CondaSource(
        version=MINIFORGE_VERSION,
        sha256=file_sha256(folder / installer),
        folder=folder.name,
        installer=installer,
        channels="",
        wheels=wheels.name,
        origin="a channel of packages made from this machine's Python and from real wheels, and a stand-in for the "
        f"program conda (py-rattler {version('py-rattler')}: real solver, real package format)",
    )


def _fingerprint(wheels: Path, python: Path | None) -> str:
    """Of everything that the channel and the installer are made from."""
    digest = hashlib.sha256()
    interpreter = Path(getattr(sys, "_base_executable", sys.executable)).resolve()
    parts = [platform.python_version(), str(interpreter), str(interpreter.stat().st_mtime_ns), str(python)]
    digest.update("\n".join([*parts, *sorted(path.name for path in wheels.glob("*.whl"))]).encode())
    here = Path(__file__).parent
    for path in (*(here / "channel" / name for name in _PARTS), *sorted((here / "conda_stand_in").glob("*.*"))):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def _forget_others(cache: Path, kept: Path) -> None:
    """What another version of this program made is of no use any more, when none has used it for a day."""
    for folder in cache.glob("made-*"):
        if folder != kept and time.time() - folder.stat().st_mtime > _FORGET_AFTER_S:
            shutil.rmtree(folder, ignore_errors=True)


def _platform_name() -> str:
    """As installers are named: Linux-x86_64, MacOSX-arm64."""
    system = {"Darwin": "MacOSX"}.get(platform.system(), platform.system())
    return f"{system}-{platform.machine()}"
