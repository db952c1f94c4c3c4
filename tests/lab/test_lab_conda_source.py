"""Where conda comes from in a lab: upstream where it answers, else what is made here; and what the nodes are told."""

from __future__ import annotations

import hashlib
import os
from dataclasses import replace
from pathlib import Path

import pytest
from conda_channels import served
from scupi_provision.lab import conda_source as room
from scupi_provision.lab.conda_source import MINIFORGE_VERSION, conda_source
from scupi_provision.lab.inventory_file import lab_variables
from scupi_provision.lab.state import Sources

INSTALLER = b"#!/bin/sh\necho Miniforge\n"


@pytest.fixture
def upstream(tmp_path, monkeypatch):
    """A server with upstream's layout: a channel's index, and an installer whose hash is known."""
    root = tmp_path / "upstream"
    (root / "conda-forge/noarch").mkdir(parents=True)
    (root / "conda-forge/noarch/repodata.json.zst").write_bytes(b"...")
    release = root / "releases" / MINIFORGE_VERSION
    release.mkdir(parents=True)
    monkeypatch.setattr(room, "_platform_name", lambda: "Linux-x86_64")
    monkeypatch.setattr(room, "_MINIFORGE_X86_64_SHA256", hashlib.sha256(INSTALLER).hexdigest())
    (release / f"Miniforge3-{MINIFORGE_VERSION}-Linux-x86_64.sh").write_bytes(INSTALLER)
    with served(root) as url:
        monkeypatch.setattr(room, "_CHANNELS", url)
        monkeypatch.setattr(room, "_MINIFORGE_RELEASES", f"{url}/releases")
        yield root


@pytest.fixture
def cannot_make(monkeypatch):
    """An installation of provision without the libraries that make a channel."""
    monkeypatch.setattr(room.importlib.util, "find_spec", lambda name: None)


def test_upstreams_installer_and_channel_are_taken_where_they_answer(upstream, tmp_path):
    source = conda_source(tmp_path / "cache", lambda _: None, python=None)
    assert not isinstance(source, str), source
    assert (tmp_path / "cache" / source.folder / source.installer).read_bytes() == INSTALLER
    assert source.channels == room._CHANNELS
    assert "stand-in" not in source.origin


def test_what_was_fetched_once_is_not_fetched_again(upstream, tmp_path, monkeypatch):
    first = conda_source(tmp_path / "cache", lambda _: None, python=None)
    for name in ("_CHANNELS", "_MINIFORGE_RELEASES"):
        monkeypatch.setattr(room, name, "http://127.0.0.1:9")
    assert conda_source(tmp_path / "cache", lambda _: None, python=None) == first


def test_an_installer_with_another_hash_is_not_taken(upstream, cannot_make, tmp_path):
    for file in upstream.rglob("*.sh"):
        file.write_bytes(b"something else")
    assert isinstance(conda_source(tmp_path / "cache", lambda _: None, python=None), str)


def test_a_closed_lab_does_not_ask_upstream(upstream, cannot_make, tmp_path):
    assert isinstance(conda_source(tmp_path / "cache", lambda _: None, python=None, closed=True), str)


def test_a_lab_without_conda_says_why(upstream, cannot_make, tmp_path, monkeypatch):
    monkeypatch.setattr(room, "_CHANNELS", "http://127.0.0.1:9")
    why = conda_source(tmp_path / "cache", lambda _: None, python=None)
    assert why == "no conda in the lab: rattler is missing (pip install 'scupi-provision[lab]')"


def test_what_another_version_made_is_forgotten_when_nobody_uses_it(tmp_path):
    kept, recent, old = (tmp_path / f"made-{name}" for name in ("kept", "recent", "old"))
    for folder in (kept, recent, old):
        folder.mkdir()
    for folder in (kept, old):
        os.utime(folder, (0, 0))
    room._forget_others(tmp_path, kept)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["made-kept", "made-recent"]


BARE = Sources("2.51.0", "ab", "git-2.51.0.tar.xz", "git", "2.13.0", "torch", env_python="3.11")
WHOLE = replace(
    BARE,
    python_version="3.11.2",
    python_sha256="cd",
    conda_version="26.3.2-3",
    conda_sha256="ef",
    conda_installer="Miniforge3-26.3.2-3-Linux-x86_64.sh",
)
MIRROR = "http://127.0.0.1:7777"


def test_the_nodes_are_told_where_everything_is():
    variables = lab_variables(Path("/k"), MIRROR, WHOLE)
    assert variables["sources_python"] == [f"{MIRROR}/ftp/python"]
    assert (variables["python_version"], variables["python_sha256"]) == ("3.11.2", "cd")
    assert variables["conda_urls"] == [
        f"{MIRROR}/conda-forge/miniforge/releases/download/26.3.2-3/Miniforge3-26.3.2-3-Linux-x86_64.sh"
    ]
    assert variables["sources_conda"] == [f"{MIRROR}/conda"]
    assert variables["conda_env_python"] == "3.11"
    assert variables["sources_torch"] == [f"{MIRROR}/whl"]


def test_with_upstreams_channel_the_nodes_ask_upstream():
    upstream = replace(WHOLE, conda_channels="https://conda.anaconda.org")
    assert lab_variables(Path("/k"), MIRROR, upstream)["sources_conda"] == ["https://conda.anaconda.org"]


def test_of_what_the_mirror_lacks_the_nodes_are_told_nothing():
    """The roles' own defaults hold, and fail with their own words."""
    variables = lab_variables(Path("/k"), MIRROR, BARE)
    assert not [name for name in variables if name.startswith(("python_", "conda_", "sources_python", "sources_conda"))]
