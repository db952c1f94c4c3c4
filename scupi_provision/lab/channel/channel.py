"""The channels of a lab: conda-forge's namesake with real packages, and one with the stand-in for conda."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import rattler
from rattler.index import index_fs

from scupi_provision.lab.channel.installer import pack_stand_in
from scupi_provision.lab.channel.interpreter import pack_interpreter
from scupi_provision.lab.channel.wheel import pack_wheel

NAMES = ("conda-forge", "provision-lab")


def make_channels(root: Path, wheels: Path, python: Path | None, workspace: Path) -> list[Path]:
    """Fill `root` with the channels NAMES; returns their folders.

    Args:
        root: Where channel names live.
        wheels: A folder of wheels; each becomes a package.
        python: The source tarball of CPython, where there is one.
        workspace: An existing folder for unpacked files.

    Raises:
        ProvisionError: The interpreter under ours cannot be made a package.
    """
    subdir = str(rattler.Subdir.current())
    channels = [root / name for name in NAMES]
    forge, own = channels
    for channel in channels:
        for folder in (subdir, "noarch"):
            (channel / folder).mkdir(parents=True)
    pack_interpreter(forge, workspace, subdir, python)
    for wheel in sorted(wheels.glob("*.whl")):
        pack_wheel(wheel, workspace, forge, subdir)
    pack_stand_in(own, workspace)
    for channel in channels:
        index(channel)
    return channels


def index(channel: Path) -> None:
    """Write repodata.json of a channel."""
    asyncio.run(index_fs(channel, write_zst=True, write_shards=False))
    shutil.rmtree(channel / ".tmp", ignore_errors=True)
