"""The two collections whose modules we have too: taken from the package `ansible`, of which nothing else is kept."""

from __future__ import annotations

import fcntl
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from scupi_provision.lab.layout import lab_layout

_PACKAGE = "ansible==12.3.0"
"""The release of the community's package that goes with ansible-core 2.19."""
_WANTED = ("ansible_collections/community/general/", "ansible_collections/ansible/posix/")


def collections_folder() -> Path:
    """A folder for ANSIBLE_COLLECTIONS_PATH, made once per machine (some seconds, 55 MB to download)."""
    folder = lab_layout().cache / "ansible-collections-12.3.0"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (folder.parent / f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.is_dir():
            _make(folder)
    return folder


def _make(folder: Path) -> None:
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", scratch, _PACKAGE]
        subprocess.run(pip, check=True, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        made = Path(scratch) / "made"
        with zipfile.ZipFile(next(Path(scratch).glob("*.whl"))) as archive:
            archive.extractall(made, [name for name in archive.namelist() if name.startswith(_WANTED)])
        made.rename(folder)
