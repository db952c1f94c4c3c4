"""The installer: a shell script with an unpacked package cache behind it, in the manner of constructor's."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import importlib.resources
import io
import platform
import shutil
import sys
import tarfile
from pathlib import Path

import rattler
from rattler.index import index_fs

from scupi_provision.lab import conda_stand_in
from scupi_provision.lab.channel.archive import Package, pack

_SPECS = ("python", "pip", "py-rattler", "conda-stand-in")
_GZIP_LEVEL = 1
"""It travels over loopback; what takes time is packing."""


def pack_stand_in(channel: Path, workspace: Path) -> Path:
    """Write the package of the program that stands in for conda into `channel`; returns the file."""
    root = workspace / "conda-stand-in"
    library, profile, programs = root / "site-packages/conda_stand_in", root / "etc/profile.d", root / "condabin"
    for folder in (library, profile, programs):
        folder.mkdir(parents=True)
    for source in importlib.resources.files(conda_stand_in).iterdir():
        if source.name.endswith(".py"):
            (library / source.name).write_bytes(source.read_bytes())
        elif source.name == "conda.sh":
            (profile / source.name).write_bytes(source.read_bytes())
    (programs / "conda").symlink_to("../bin/conda")
    package = Package(
        name="conda-stand-in",
        version=conda_stand_in.CONDA_VERSION,
        build="lab_0",
        subdir="noarch",
        depends=("python >=3.10", "py-rattler"),
        license="MIT",
        summary="What answers to `conda` in provision's lab",
        entry_points=("conda = conda_stand_in.cli:program",),
        is_python=True,
        placeholders={"etc/profile.d/conda.sh": "@PREFIX@"},
    )
    return pack(package, root, channel)


def write_installer(channels: list[Path], workspace: Path, final: Path) -> None:
    """Write the installer of a base environment of packages from `channels`.

    Args:
        channels: Channels that hold everything of it.
        workspace: An existing folder.
        final: Where the installer appears.
    """
    payload_root = workspace / "payload"
    stems = asyncio.run(_fill_cache(channels, payload_root))
    payload = _packed(payload_root)
    text = _header(stems, final)
    lines = len(text.splitlines()) + 1
    digest = hashlib.md5(payload, usedforsecurity=False).hexdigest()
    header = text.replace("@LINES@", str(lines)).replace("@MD5@", digest)
    partial = final.with_name(f".{final.name}.part")
    partial.write_bytes(header.encode() + payload)
    partial.replace(final)


async def _fill_cache(channels: list[Path], root: Path) -> dict[str, str]:
    """Unpack the packages into `root`/pkgs as rattler does, with a channel that describes them; their stems by name."""
    described = root / "pkgs/channel"
    records = await rattler.solve([channel.as_uri() for channel in channels], list(_SPECS), virtual_packages=_ours())
    for record in records:
        folder = described / record.subdir
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(next(found for c in channels if (found := c / record.subdir / record.file_name).is_file()), folder)
    (described / "noarch").mkdir(exist_ok=True)
    await index_fs(described, write_zst=False, write_shards=False)
    records = await rattler.solve([described.as_uri()], list(_SPECS), virtual_packages=_ours())
    await rattler.install(records, root / "scratch", cache_dir=root / "pkgs", show_progress=False)
    shutil.rmtree(root / "scratch")
    for archive in described.glob("*/*.conda"):
        archive.unlink()  # the unpacked copy is enough, and serves the interpreter that links it too
    return {record.name.normalized: record.file_name.removesuffix(".conda") for record in records}


def _ours() -> list[rattler.VirtualPackage]:
    return rattler.VirtualPackage.detect()


def _packed(root: Path) -> bytes:
    buffer = io.BytesIO()
    with (
        gzip.GzipFile(fileobj=buffer, mode="wb", compresslevel=_GZIP_LEVEL, mtime=0) as compressed,
        tarfile.open(fileobj=compressed, mode="w") as archive,
    ):
        archive.add(root / "pkgs", "pkgs")
    return buffer.getvalue()


def _header(stems: dict[str, str], final: Path) -> str:
    python = f"python{sys.version_info.major}.{sys.version_info.minor}"
    library = f"lib/{python}/site-packages"
    values = {
        "VERSION": conda_stand_in.CONDA_VERSION,
        "PLATFORM": final.stem.split("-", 2)[-1],
        "GLIBC": platform.libc_ver()[1] or "2.17",
        "PYTHON": f"pkgs/{stems['python']}/bin/{python}",
        "RATTLER": f"pkgs/{stems['py-rattler']}/{library}",
        "STAND_IN": f"pkgs/{stems['conda-stand-in']}/site-packages",
        "SPECS": " ".join(_SPECS),
    }
    text = importlib.resources.files(__package__).joinpath("installer.sh").read_text(encoding="utf-8")
    for name, value in values.items():
        text = text.replace(f"@{name}@", value)
    return text
