"""What is known about a real lab: where its things are, what its daemon says, and the `RealLab` that callers get."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from scupi_provision.lab.layout import ACCOUNT, LabLayout, lab_layout
from scupi_provision.lab.state import write_atomically

ACCOUNT_HOME = f"/public/home/{ACCOUNT}"
"""Where both nodes have the home, as on the cluster."""


def real_layout(directory: Path | None = None, environ: Mapping[str, str] | None = None) -> LabLayout:
    """The layout of the real lab in `directory`, or of the default one, which lies beside the embedded lab's.

    Raises:
        InputError: The directory cannot be used.
    """
    if directory is None:
        embedded = lab_layout(None, os.environ if environ is None else environ).directory
        directory = embedded.with_name(f"{embedded.name}-real")
    return lab_layout(directory, environ)


def node_directory(layout: LabLayout, node: str) -> Path:
    """What this machine keeps of one node: its mount point, its /tmp, its log."""
    return layout.directory / "nodes" / node


def settings_file(layout: LabLayout) -> Path:
    """The settings that the lab was last started with."""
    return layout.directory / "settings.json"


@dataclass(frozen=True)
class RealState:
    """What a running daemon says about itself, written when both nodes answer.

    Attributes:
        pid: Its process id.
        nonce: Made anew at every start.
        number: Of the lab: it decides the addresses.
        mirror_port: Where the mirror listens on admin1's loopback.
        nodes: The process id of each node's first process (its sshd), by name, in this machine's numbering.
    """

    pid: int
    nonce: str
    number: int
    mirror_port: int
    nodes: dict[str, int]


@dataclass(frozen=True)
class RealLab:
    """A running real lab, as its users need it.

    Attributes:
        directory: The lab's directory.
        home: The shared home, as this machine sees it.
        account_home: The same, as both nodes see it.
        user: The login name on both nodes.
        admin_address: Where admin1's sshd listens. gpu2's is reached from admin1 only, as `gpu2`.
        admin_port: On which port.
        key_file: The account's private key.
        known_hosts: Host keys of both nodes.
        inventory: An inventory that leads to both nodes.
        logs: What each node's sshd wrote, by name.
        pid: The daemon.
        nodes: The process id of each node's sshd, by name.
        stand_ins: What in this lab is not the real thing, in sentences.
        variables: What the inventory gives to `all`.
    """

    directory: Path
    home: Path
    account_home: str
    user: str
    admin_address: str
    admin_port: int
    key_file: Path
    known_hosts: Path
    inventory: Path
    logs: dict[str, Path]
    pid: int
    nodes: dict[str, int]
    stand_ins: tuple[str, ...]
    variables: dict[str, object]


@dataclass(frozen=True)
class RealStatus:
    """Whether there is a real lab, and whether it runs. `lab` is None unless it runs."""

    directory: Path
    exists: bool
    lab: RealLab | None

    @property
    def pid(self) -> int | None:
        """Its daemon."""
        return self.lab.pid if self.lab else None


def read_real_state(layout: LabLayout) -> RealState | None:
    """The state that the last daemon wrote, or None when there is none that can be read."""
    try:
        return RealState(**json.loads(layout.state.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def write_real_state(layout: LabLayout, state: RealState) -> None:
    """Write the state atomically."""
    write_atomically(layout.state, json.dumps(asdict(state), indent=2) + "\n")
