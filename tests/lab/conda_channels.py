"""Small real conda packages, channels of them on loopback, and the stand-in for conda as a program."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from scupi_provision.lab.channel.archive import Package, pack
from scupi_provision.lab.channel.channel import index
from scupi_provision.lab.mirror import start_mirror

PLACEHOLDER = "/opt/a-placeholder-that-linking-replaces"


def packed(
    channel: Path, name: str, version: str = "1.0", *depends: str, files: Mapping[str, str] | None = None
) -> Path:
    """A noarch package with a script that names its prefix, or with these files."""
    root = channel.parent / f"tree-{name}-{version}"
    script = f"#!/bin/sh\necho {PLACEHOLDER} {name} {version}\n"
    for path, text in (files or {f"bin/{name}": script}).items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
        target.chmod(0o755 if path.startswith("bin/") else 0o644)
    placeholders = {
        path: PLACEHOLDER for path, text in (files or {f"bin/{name}": script}).items() if PLACEHOLDER in text
    }
    package = Package(name, version, "0", "noarch", depends=depends, license="MIT", placeholders=placeholders)
    return pack(package, root, channel)


def indexed(channel: Path) -> Path:
    """Write the channel's repodata."""
    for folder in ("linux-64", "noarch"):
        (channel / folder).mkdir(parents=True, exist_ok=True)
    index(channel)
    return channel


@contextmanager
def served(root: Path):
    """The URL of a mirror of `root` that ends with the block."""
    server = start_mirror(root, 0, "")
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@dataclass(frozen=True)
class Conda:
    """Runs the stand-in with a package cache and a home of its own."""

    home: Path
    channel: str

    @property
    def cache(self) -> Path:
        """Where it unpacks packages."""
        return self.home / "pkgs"

    def __call__(self, *arguments: object, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run a command; both outputs are kept."""
        own = {"HOME": str(self.home), "CONDA_PKGS_DIRS": str(self.cache)}
        kept = {name: value for name, value in os.environ.items() if not name.startswith("CONDA")}
        return subprocess.run(
            [sys.executable, "-m", "scupi_provision.lab.conda_stand_in", *map(str, arguments)],
            env=kept | own | variables,
            cwd=self.home,
            text=True,
            capture_output=True,
            check=False,
            timeout=60,
        )

    def change(self, command: str, prefix: Path, *words: object, **variables: str) -> subprocess.CompletedProcess[str]:
        """`conda create` or `install` of specs, from this channel alone."""
        return self(command, "-y", "-p", prefix, "--override-channels", "-c", self.channel, *words, **variables)


def installed(prefix: Path) -> dict[str, str]:
    """Versions by name, from the records in conda-meta."""
    return {record["name"]: record["version"] for record in records(prefix).values()}


def records(prefix: Path) -> dict[str, dict]:
    """The records in conda-meta, by name."""
    found = [json.loads(path.read_text()) for path in (prefix / "conda-meta").glob("*.json")]
    return {record["name"]: record for record in found}
