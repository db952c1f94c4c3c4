"""A wheel as a conda package: the same files, linked as conda-forge's packages of them are."""

from __future__ import annotations

import email.message
import email.parser
import platform
import re
import shutil
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from packaging.requirements import Requirement

from scupi_provision.lab.channel.archive import Package, pack
from scupi_provision.lab.channel.bytecode import compile_below

PLACEHOLDER = "/opt/scupi-provision-lab/the-prefix-of-the-environment-is-put-here-when-the-package-is-linked"
"""Stands in scripts where the environment's prefix goes."""


@dataclass(frozen=True)
class Wheel:
    """A wheel's file, and what its names and metadata say."""

    path: Path
    metadata: email.message.Message
    entry_points: tuple[str, ...]

    @property
    def name(self) -> str:
        """The project's name as conda-forge spells most of them."""
        return re.sub(r"[._]", "-", str(self.metadata["Name"])).lower()

    @property
    def tag(self) -> str:
        """The platform tag, the last part of the file name."""
        return self.path.stem.rpartition("-")[2]

    @property
    def is_pure(self) -> bool:
        """Whether it is the same for all platforms."""
        return self.tag == "any"

    @property
    def is_abi3(self) -> bool:
        """Whether its binaries serve every later Python too."""
        return self.path.stem.split("-")[-2] == "abi3"


def read_wheel(path: Path) -> Wheel:
    """Read what a wheel says about itself."""
    with zipfile.ZipFile(path) as archive:
        (info,) = {top for name in archive.namelist() if (top := name.split("/")[0]).endswith(".dist-info")}
        metadata = email.parser.Parser().parsestr(archive.read(f"{info}/METADATA").decode())
        points = f"{info}/entry_points.txt"
        text = archive.read(points).decode() if points in archive.namelist() else ""
    return Wheel(path, metadata, tuple(_console_scripts(text)))


def _console_scripts(text: str) -> Iterator[str]:
    """The lines "name = module:function" of that section of entry_points.txt."""
    section = ""
    for line in map(str.strip, text.splitlines()):
        if line.startswith("["):
            section = line
        elif line and section == "[console_scripts]":
            yield line


def pack_wheel(path: Path, workspace: Path, channel: Path, subdir: str) -> Path:
    """Write the conda package of a wheel into `channel`; returns the file.

    Args:
        path: The wheel; one with binaries must suit the interpreter under ours.
        workspace: An existing folder for unpacked files.
        channel: The channel's folder.
        subdir: The platform's folder of the channel.
    """
    wheel = read_wheel(path)
    root = workspace / path.stem
    python = f"python{sys.version_info.major}.{sys.version_info.minor}"
    library = PurePosixPath("site-packages" if wheel.is_pure else f"lib/{python}/site-packages")
    placeholders = _unpack(wheel, root, library)
    if not wheel.is_pure:
        _write_programs(wheel, root, placeholders)
        compile_below(root)
    package = Package(
        name=wheel.name,
        version=str(wheel.metadata["Version"]),
        build="pyhd8ed1ab_0" if wheel.is_pure else f"py{sys.version_info.major}{sys.version_info.minor}_0",
        subdir="noarch" if wheel.is_pure else subdir,
        depends=depends(wheel),
        license=str(wheel.metadata["License-Expression"] or wheel.metadata["License"] or "see its metadata")[:80],
        summary=str(wheel.metadata["Summary"]),
        home=f"https://pypi.org/project/{wheel.name}/",
        entry_points=wheel.entry_points if wheel.is_pure else (),
        is_python=wheel.is_pure,
        placeholders=placeholders,
    )
    written = pack(package, root, channel)
    shutil.rmtree(root)
    return written


def depends(wheel: Wheel) -> tuple[str, ...]:
    """The MatchSpecs that say what the wheel's tags and metadata say."""
    major, minor = sys.version_info[:2]
    specs = []
    if wheel.is_pure or wheel.is_abi3:
        floor = str(wheel.metadata["Requires-Python"] or "").replace(" ", "")
        specs.append(f"python {floor}".strip())
    else:
        specs.append(f"python >={major}.{minor},<{major}.{minor + 1}.0a0")
    if match := re.search(r"manylinux_2_(\d+)_", wheel.tag):
        specs.append(f"__glibc >=2.{match[1]}")
    for text in wheel.metadata.get_all("Requires-Dist") or ():
        required = Requirement(text)
        if required.marker is None or required.marker.evaluate({"extra": ""}):
            specs.append(f"{required.name.lower()} {required.specifier}".strip())
    return tuple(specs)


def _unpack(wheel: Wheel, root: Path, library: PurePosixPath) -> dict[str, str]:
    """Put the wheel's files where they belong; returns the scripts that contain the placeholder."""
    placeholders: dict[str, str] = {}
    with zipfile.ZipFile(wheel.path) as archive:
        for member in archive.infolist():
            if member.is_dir():
                continue
            path = _place(member.filename, library, is_pure=wheel.is_pure)
            target = root / path
            target.parent.mkdir(parents=True, exist_ok=True)
            content = archive.read(member)
            if content.startswith(b"#!python") and ".data/scripts/" in member.filename:
                content = f"#!{PLACEHOLDER}/bin/python".encode() + content.removeprefix(b"#!python")
                placeholders[path] = PLACEHOLDER
            target.write_bytes(content)
            is_program = bool(member.external_attr >> 16 & 0o111) or ".data/scripts/" in member.filename
            target.chmod(0o755 if is_program else 0o644)
            if path.endswith(".dist-info/WHEEL"):
                target.with_name("INSTALLER").write_text("conda\n", encoding="utf-8")
    return placeholders


def _place(name: str, library: PurePosixPath, *, is_pure: bool) -> str:
    """The path in the prefix of a wheel's member: what is in `X.data/` has places of its own."""
    top, _, rest = name.partition("/")
    if not top.endswith(".data"):
        return str(library / name)
    kind, _, rest = rest.partition("/")
    places = {
        "purelib": library,
        "platlib": library,
        "scripts": PurePosixPath("python-scripts" if is_pure else "bin"),
        "data": PurePosixPath(),
        "headers": PurePosixPath("include") / platform.python_implementation().lower(),
    }
    return str(places[kind] / rest)


def _write_programs(wheel: Wheel, root: Path, placeholders: dict[str, str]) -> None:
    """Make the programs of an architecture's package, which carries them as files."""
    for point in wheel.entry_points:
        name, module, function = re.split(r"\s*[=:]\s*", point.split("[")[0].strip(), maxsplit=2)
        path = f"bin/{name}"
        target = root / path
        target.parent.mkdir(exist_ok=True)
        outer = function.split(".")[0]
        target.write_text(
            f"#!{PLACEHOLDER}/bin/python\nimport sys\n\nfrom {module} import {outer}\n\nsys.exit({function}())\n",
            encoding="utf-8",
        )
        target.chmod(0o755)
        placeholders[path] = PLACEHOLDER
