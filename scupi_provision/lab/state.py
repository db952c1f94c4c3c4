"""What is known about a lab: the daemon's state file, what the mirror serves, and the `Lab` that callers get."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path

from scupi_provision.lab.layout import LabLayout


@dataclass(frozen=True)
class DaemonState:
    """What a running daemon says about itself, written when it is ready.

    Attributes:
        pid: Its process id.
        nonce: Made anew at every start; the mirror answers with it.
        admin_port: Where admin1's SSH server listens on loopback.
        mirror_port: Where the mirror listens on loopback.
        versions: What it is made of, for bug reports.
    """

    pid: int
    nonce: str
    admin_port: int
    mirror_port: int
    versions: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Sources:
    """What the mirror serves.

    Attributes:
        git_version: For example "2.51.0".
        git_sha256: Of the tarball.
        git_tarball: Its file name in the mirror.
        git_origin: Where it came from, in words for the report.
        torch_version: Without the local part, for example "2.13.0".
        torch_origin: Where the wheels came from, in words.
        python_version: Of CPython's tarball; "" when the mirror has none.
        python_sha256: Of the tarball.
        python_origin: Where it came from, or why there is none, in words.
        conda_version: Miniforge's; "" when the mirror has none.
        conda_sha256: Of the installer.
        conda_installer: Its file name.
        conda_channels: Where channel names live upstream; "" when the mirror has the channels.
        conda_origin: What it is, or why there is none, in words.
        env_python: The series of Python for which the mirror has wheels, for example "3.11".
    """

    git_version: str
    git_sha256: str
    git_tarball: str
    git_origin: str
    torch_version: str
    torch_origin: str
    python_version: str = ""
    python_sha256: str = ""
    python_origin: str = ""
    conda_version: str = ""
    conda_sha256: str = ""
    conda_installer: str = ""
    conda_channels: str = ""
    conda_origin: str = ""
    env_python: str = ""


@dataclass(frozen=True)
class Lab:
    """A running lab, as its users need it.

    Attributes:
        directory: The lab's directory.
        home: The scratch home that both nodes share.
        admin_port: admin1's SSH port on 127.0.0.1. gpu2 has none: it is dialled as `gpu2:22` through admin1.
        mirror_port: The mirror's HTTP port on 127.0.0.1.
        user: The login name on both nodes.
        key_file: The account's private key.
        known_hosts: Host keys of both nodes.
        inventory: An inventory that leads to both nodes.
        log: The daemon's log.
        stand_ins: What in this lab is not the real thing, in sentences for the report.
        variables: What the inventory gives to `all`.
        admin_address: Where admin1 listens.
    """

    directory: Path
    home: Path
    admin_port: int
    mirror_port: int
    user: str
    key_file: Path
    known_hosts: Path
    inventory: Path
    log: Path
    stand_ins: tuple[str, ...]
    variables: dict[str, object]
    admin_address: str = "127.0.0.1"


@dataclass(frozen=True)
class LabStatus:
    """Whether there is a lab, and whether it runs. `lab` is None unless it runs."""

    directory: Path
    exists: bool
    lab: Lab | None
    pid: int | None = None


def read_daemon_state(layout: LabLayout) -> DaemonState | None:
    """The state that the last daemon wrote, or None when there is none that can be read."""
    try:
        return DaemonState(**json.loads(layout.state.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def write_daemon_state(layout: LabLayout, state: DaemonState) -> None:
    """Write the state atomically."""
    write_atomically(layout.state, json.dumps(asdict(state), indent=2) + "\n")


def read_sources(path: Path) -> Sources | None:
    """The sources that the mirror serves, or None when it serves none yet."""
    try:
        return Sources(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def write_sources(path: Path, sources: Sources) -> None:
    """Write what the mirror serves atomically."""
    write_atomically(path, json.dumps(asdict(sources), indent=2) + "\n")


def write_atomically(path: Path, text: str) -> None:
    """Replace `path` by `text` in one rename."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)
