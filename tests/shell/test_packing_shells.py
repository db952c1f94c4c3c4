"""Archives and temporary files (archive.sh, tempfile.sh) in every shell, with GNU tools and with busybox alone."""

from __future__ import annotations

import os
import shutil
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from scupi_provision.shell.scripts import script
from scupi_provision.shell.words import words

Program = Callable[..., subprocess.CompletedProcess[bytes]]
ODD = ["-c", "--help", 'it\'s "a"', "two\nlines", "ü", "*"]


@pytest.fixture
def run(shell: str, tmp_path: Path, request: pytest.FixtureRequest) -> Program:
    """Runs one of our shell files in one shell; busybox has nothing but its own tools."""
    tools, command = os.environ["PATH"], [shutil.which(shell) or shell]
    if shell == "busybox":
        tools = str(request.getfixturevalue("applets"))
        command = [f"{tools}/ash"]
    environment = {"PATH": tools, "HOME": str(tmp_path), "LANG": "C.UTF-8"}

    def program(file: str, /, *given: str, **settings: str) -> subprocess.CompletedProcess[bytes]:
        lines = [*command, *script(file, **settings)[1:], "sh", *given]
        return subprocess.run(lines, capture_output=True, env=environment, timeout=60, check=False)

    return program


@pytest.mark.parametrize("program", ["tar", "gzip"])
def test_odd_names_are_packed(run, tmp_path, program):
    """Names like options, with quotes, line feeds and stars; empty folders, links to nothing and empty files, too."""
    root = tmp_path / "r"
    root.mkdir()
    for name in ODD:
        (root / name).write_text(name)
    (root / "empty").mkdir()
    (root / "none").write_text("")
    (root / "dangling").symlink_to("nowhere")
    members = [*ODD, "empty", "none", "dangling"]
    made = tmp_path / "a"
    settings = {"dest": str(made), "root": str(root), "program": program, "packed": "yes", "mode": "0640"}
    done = run("archive.sh", **settings, members=words(*members))
    assert (done.returncode, done.stderr) == (0, b"")
    assert made.stat().st_mode & 0o777 == 0o640
    with tarfile.open(made) as archive:
        assert sorted(archive.getnames()) == sorted(members)
    assert sorted(path.name for path in tmp_path.glob("a*")) == ["a"]


def test_what_cannot_be_packed_leaves_what_was_there(run, tmp_path):
    """An archive that fails leaves the old one, and nothing half made."""
    (tmp_path / "a").write_text("old")
    settings = {"dest": str(tmp_path / "a"), "root": str(tmp_path), "program": "gzip", "packed": "yes", "mode": ""}
    done = run("archive.sh", **settings, members=words("missing"))
    assert done.returncode == 1
    assert {path.name for path in tmp_path.glob("a*")} <= {"a", "applets"}
    assert (tmp_path / "a").read_text() == "old"


@pytest.mark.parametrize(("kind", "mode"), [("file", 0o600), ("directory", 0o700)])
def test_a_temporary_name_is_new_and_private(run, tmp_path, kind, mode):
    folder = tmp_path / "-it's\na folder"
    folder.mkdir()
    done = run("tempfile.sh", folder=str(folder), prefix="-p ", suffix=" ü", kind=kind)
    (made,) = folder.iterdir()
    assert done.stdout.decode() == f"{made}\n{os.getuid()}\n{os.getgid()}\n"
    assert (made.name[:3], made.name[-2:], made.stat().st_mode & 0o777) == ("-p ", " ü", mode)


def test_no_temporary_file_where_there_is_no_folder(run, tmp_path):
    assert run("tempfile.sh", folder=str(tmp_path / "none"), prefix="a.", suffix="", kind="file").returncode == 1


def test_a_member_like_an_option_is_unpacked(run, tmp_path):
    (tmp_path / "-c").write_text("x")
    (tmp_path / "to").mkdir()
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        archive.add(tmp_path / "-c", "-c")
    done = run("extract.sh", str(tmp_path / "a.tar"), str(tmp_path / "to"), "0", "", members=words("-c"))
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "to" / "-c").read_text() == "x"
