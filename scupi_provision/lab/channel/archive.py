"""Writes conda packages (`.conda`): a zip of two zstd-compressed tars, one of files and one of metadata.

The format is that of conda's documentation ("package specification") and of CEP 19 for paths.json; py-rattler reads
back what is written here in tests/lab.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import tarfile
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import zstandard

_LEVEL = 3
"""Packing must be quick: it is done once, for a mirror on loopback."""

_TIMESTAMP_S = 1_700_000_000
"""One time for all files, so that the same content gives the same package and the same hash."""


@dataclass(frozen=True)
class Package:
    """What a conda package says about itself.

    Attributes:
        name: Its name, in conda's spelling.
        version: Its version.
        build: The build string, which tells variants apart.
        subdir: The platform's folder of the channel, or "noarch".
        depends: MatchSpecs.
        license: An SPDX expression or what upstream says.
        summary: One line.
        home: A URL.
        entry_points: Of a noarch Python package: "name = module:function", made into programs when it is linked.
        is_python: With subdir "noarch": whether its files belong to the Python of the environment.
        placeholders: Text in files, by path, that linking replaces by the environment's prefix.
    """

    name: str
    version: str
    build: str
    subdir: str
    depends: tuple[str, ...] = ()
    license: str = ""
    summary: str = ""
    home: str = ""
    entry_points: tuple[str, ...] = ()
    is_python: bool = False
    placeholders: Mapping[str, str] = field(default_factory=dict)

    @property
    def stem(self) -> str:
        """The file name without its suffix."""
        return f"{self.name}-{self.version}-{self.build}"


def pack(package: Package, root: Path, channel: Path) -> Path:
    """Write the package with everything below `root` into its folder of `channel`; returns the file."""
    entries = sorted(_entries(root))
    described = [_described(root, path, package.placeholders) for path in entries]
    folder = channel / package.subdir
    folder.mkdir(parents=True, exist_ok=True)
    final = folder / f"{package.stem}.conda"
    partial = folder / f".{final.name}.part"
    with zipfile.ZipFile(partial, "w", zipfile.ZIP_STORED) as archive:
        _store(archive, "metadata.json", json.dumps({"conda_pkg_format_version": 2}).encode())
        _store(archive, f"pkg-{package.stem}.tar.zst", _tar_of_files(root, entries))
        _store(archive, f"info-{package.stem}.tar.zst", _tar_of_texts(_info(package, described)))
    partial.replace(final)
    return final


def _entries(root: Path) -> Iterator[str]:
    for folder, directories, files in os.walk(root):
        links = [name for name in directories if Path(folder, name).is_symlink()]
        yield from (Path(folder, name).relative_to(root).as_posix() for name in (*files, *links))


def _described(root: Path, path: str, placeholders: Mapping[str, str]) -> dict[str, Any]:
    """An entry of paths.json."""
    file = root / path
    content = file.read_bytes() if file.is_file() else b""
    entry = {
        "_path": path,
        "path_type": "softlink" if file.is_symlink() else "hardlink",
        "sha256": hashlib.sha256(content).hexdigest(),
        "size_in_bytes": len(content),
    }
    if path in placeholders:
        entry |= {"file_mode": "text", "prefix_placeholder": placeholders[path]}
    return entry


def _info(package: Package, described: list[dict[str, Any]]) -> dict[str, str]:
    """The files of info/, by their paths."""
    index: dict[str, Any] = {
        "name": package.name,
        "version": package.version,
        "build": package.build,
        "build_number": 0,
        "depends": list(package.depends),
        "license": package.license,
        "subdir": package.subdir,
        "timestamp": _TIMESTAMP_S * 1000,
    }
    if package.subdir == "noarch":
        index["noarch"] = "python" if package.is_python else "generic"
    about = {"home": package.home, "license": package.license, "summary": package.summary}
    texts = {
        "info/index.json": json.dumps(index, indent=2),
        "info/about.json": json.dumps(about, indent=2),
        "info/paths.json": json.dumps({"paths": described, "paths_version": 1}),
        "info/files": "".join(f"{entry['_path']}\n" for entry in described),
    }
    if package.is_python and package.subdir == "noarch":
        noarch = {"type": "python", "entry_points": list(package.entry_points)}
        texts["info/link.json"] = json.dumps({"noarch": noarch, "package_metadata_version": 1})
    return texts


def _tar_of_files(root: Path, paths: list[str]) -> bytes:
    def plain(member: tarfile.TarInfo) -> tarfile.TarInfo:
        member.uid = member.gid = 0
        member.uname = member.gname = ""
        member.mtime = _TIMESTAMP_S
        return member

    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for path in paths:
            archive.add(root / path, path, recursive=False, filter=plain)
    return _compressed(buffer)


def _tar_of_texts(texts: Mapping[str, str]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for path, text in texts.items():
            member = tarfile.TarInfo(path)
            content = text.encode()
            member.size, member.mtime = len(content), _TIMESTAMP_S
            archive.addfile(member, io.BytesIO(content))
    return _compressed(buffer)


def _compressed(tar: io.BytesIO) -> bytes:
    return zstandard.ZstdCompressor(level=_LEVEL, threads=-1).compress(tar.getvalue())


def _store(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    archive.writestr(zipfile.ZipInfo(name), content)
