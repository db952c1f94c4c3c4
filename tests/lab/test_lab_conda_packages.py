"""The packages that the lab makes are conda packages: py-rattler, which did not make them, reads and unpacks them."""

from __future__ import annotations

import asyncio
import hashlib
import json
import sys
import zipfile
from pathlib import Path

import pytest
from conda_channels import PLACEHOLDER, indexed, packed
from packaging.tags import sys_tags
from rattler import IndexJson, PathsJson, RepoDataRecord
from rattler.package_streaming import extract
from scupi_provision.lab.channel.archive import Package, pack
from scupi_provision.lab.channel.wheel import depends, pack_wheel, read_wheel

SERIES = f"{sys.version_info.major}.{sys.version_info.minor}"


@pytest.fixture
def tree(tmp_path):
    """A program, a data file below a folder, and a link."""
    root = tmp_path / "root"
    (root / "bin").mkdir(parents=True)
    (root / "share/deep").mkdir(parents=True)
    (root / "bin/tool").write_text(f"#!{PLACEHOLDER}/bin/sh\n")
    (root / "bin/tool").chmod(0o755)
    (root / "share/deep/data").write_bytes(bytes(range(256)))
    (root / "bin/alias").symlink_to("tool")
    return root


@pytest.fixture
def package(tree, tmp_path):
    described = Package(
        name="tool",
        version="1.2",
        build="h1_0",
        subdir="linux-64",
        depends=("python >=3.9", "__glibc >=2.17"),
        placeholders={"bin/tool": PLACEHOLDER},
    )
    return pack(described, tree, tmp_path / "channel")


def test_the_metadata_is_what_was_said(package):
    index = IndexJson.from_package_archive(package)
    assert (index.name.normalized, str(index.version), str(index.build), index.subdir) == (
        "tool",
        "1.2",
        "h1_0",
        "linux-64",
    )
    assert index.depends == ["python >=3.9", "__glibc >=2.17"]


def test_every_file_is_listed_with_its_hash_and_size_and_unpacks_to_that(package, tmp_path):
    paths = PathsJson.from_package_archive(package)
    unpacked = tmp_path / "unpacked"
    extract(package, unpacked)
    listed = {str(entry.relative_path): entry for entry in paths.paths}
    assert sorted(listed) == ["bin/alias", "bin/tool", "share/deep/data"]
    for path in ("bin/tool", "share/deep/data"):
        content = (unpacked / path).read_bytes()
        assert listed[path].sha256 == hashlib.sha256(content).digest()
        assert listed[path].size_in_bytes == len(content)
    assert (unpacked / "bin/alias").readlink() == Path("tool")
    assert (unpacked / "bin/tool").stat().st_mode & 0o777 == 0o755
    assert listed["bin/tool"].prefix_placeholder.placeholder == PLACEHOLDER
    assert listed["share/deep/data"].prefix_placeholder is None


def test_the_same_files_make_the_same_package(package, tree, tmp_path):
    first = package.read_bytes()
    (tree / "bin/tool").touch()
    described = Package(
        name="tool", version="1.2", build="h1_0", subdir="linux-64",
        depends=("python >=3.9", "__glibc >=2.17"), placeholders={"bin/tool": PLACEHOLDER},
    )  # fmt: skip
    assert pack(described, tree, tmp_path / "again").read_bytes() == first


def test_the_index_tells_of_each_package_with_its_true_hash_and_size(tmp_path):
    file = packed(tmp_path / "channel", "one", "1.0", "two >=2")
    indexed(tmp_path / "channel")
    repodata = json.loads((tmp_path / "channel/noarch/repodata.json").read_text())
    entry = repodata["packages.conda"]["one-1.0-0.conda"]
    assert entry["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
    assert (entry["size"], entry["depends"]) == (file.stat().st_size, ["two >=2"])


METADATA = """\
Metadata-Version: 2.4
Name: Some.Project
Version: 1.5
Summary: Says hello
License-Expression: MIT
Requires-Python: >=3.9
Requires-Dist: other>=2
Requires-Dist: never; python_version < "3"
Requires-Dist: extra-only; extra == "more"
"""
ENTRY_POINTS = "[console_scripts]\nHello = some.main:run\n\n[other]\nx = y:z\n"


def _wheel(folder: Path, tag: str, **files: str) -> Path:
    path = folder / f"some_project-1.5-{tag}.whl"
    info = "some_project-1.5.dist-info"
    members = {
        "some/main.py": "def run():\n    print('hello')\n",
        f"{info}/METADATA": METADATA,
        f"{info}/WHEEL": "Wheel-Version: 1.0\n",
        f"{info}/RECORD": "",
        f"{info}/entry_points.txt": ENTRY_POINTS,
        "some_project-1.5.data/scripts/old": "#!python\nprint('old')\n",
        "some_project-1.5.data/data/share/some/data": "data\n",
        **files,
    }
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return path


def test_a_pure_wheel_becomes_a_package_for_every_python(tmp_path):
    record = asyncio.run(
        RepoDataRecord.from_package_archive(
            pack_wheel(_wheel(tmp_path, "py3-none-any"), tmp_path / "work", tmp_path / "channel", "linux-64")
        )
    )
    assert (record.name.normalized, str(record.version), record.subdir) == ("some-project", "1.5", "noarch")
    assert record.depends == ["python >=3.9", "other >=2"]


def test_what_only_an_extra_or_another_python_needs_is_no_dependency(tmp_path):
    assert depends(read_wheel(_wheel(tmp_path, "py3-none-any"))) == ("python >=3.9", "other >=2")


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        ("cp310-abi3-manylinux_2_17_x86_64.manylinux2014_x86_64", ("python >=3.9", "__glibc >=2.17")),
        ("cp310-abi3-manylinux_2_27_x86_64.manylinux_2_28_x86_64", ("python >=3.9", "__glibc >=2.27")),
    ],
)
def test_the_tag_says_the_c_library(tmp_path, tag, expected):
    assert depends(read_wheel(_wheel(tmp_path, tag)))[:2] == expected


def test_a_wheel_of_binaries_is_bound_to_its_python_and_carries_its_programs(tmp_path):
    tag = next(tag for tag in sys_tags() if tag.platform.startswith(("manylinux", "macosx")))
    path = _wheel(tmp_path, f"{tag.interpreter}-{tag.abi}-{tag.platform}")
    file = pack_wheel(path, tmp_path / "work", tmp_path / "channel", "linux-64")
    assert f"python >={SERIES},<3.{sys.version_info.minor + 1}.0a0" in IndexJson.from_package_archive(file).depends
    unpacked = tmp_path / "unpacked"
    extract(file, unpacked)
    library = unpacked / f"lib/python{SERIES}/site-packages"
    assert (library / "some_project-1.5.dist-info/INSTALLER").read_text() == "conda\n"
    assert list((library / "some/__pycache__").glob("main.*.pyc"))
    assert (unpacked / "share/some/data").read_text() == "data\n"
    placeholders = {
        str(entry.relative_path): entry.prefix_placeholder.placeholder
        for entry in PathsJson.from_package_archive(file).paths
        if entry.prefix_placeholder
    }
    assert set(placeholders) == {"bin/Hello", "bin/old"}
    for path, placeholder in placeholders.items():
        assert (unpacked / path).read_text().startswith(f"#!{placeholder}/bin/python\n")
