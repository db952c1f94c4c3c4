"""Switches the two nodes on: namespaces for each, their files, their wires. Switching off is ending the processes."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import IO, cast

from scupi_provision.errors import ProvisionError
from scupi_provision.lab.farm import present_on_gpu
from scupi_provision.lab.layout import ACCOUNT, ADMIN, GPU, NODES, LabLayout
from scupi_provision.lab.processes import process_table
from scupi_provision.lab.real.entry import known_hosts
from scupi_provision.lab.real.network import Wiring, in_network_of, wire
from scupi_provision.lab.real.node_root import HOST_KEY, NodeSpec
from scupi_provision.lab.real.settings import LabSettings, sshd_config
from scupi_provision.lab.real.slurm import slurm_accounts, slurm_daemons, slurm_files
from scupi_provision.lab.real.state import ACCOUNT_HOME, node_directory

_SSH_PORT = 22
_START_TIMEOUT_S = 20.0
_POLL_S = 0.02
_MOST_OF_A_LOG = 2000
_SEARCHED = ("/usr/local/bin", "/usr/local/sbin", "/usr/bin", "/usr/sbin")
_DOWNLOADERS = ("curl", "wget", "aria2c")

_NEW_NODE = ("unshare", "--kill-child", "--fork", "--pid", "--mount", "--net", "--uts", "--ipc")
"""Everything in which two machines differ. The kernel ends the node's processes when `unshare` ends."""

_WITH_US = ("setpriv", "--pdeathsig", "KILL")
"""And it ends `unshare` when the daemon ends, however that comes about."""


class Nodes:
    """admin1 and gpu2 while they run."""

    def __init__(self, layout: LabLayout, settings: LabSettings) -> None:
        self._layout = layout
        self._settings = settings
        self._starters: dict[str, subprocess.Popen[str]] = {}
        self._services: set[int] = set()
        self.pids: dict[str, int] = {}
        """The first process of each node, by name: its sshd."""

    @property
    def running(self) -> bool:
        """Whether no node has ended."""
        return all(starter.poll() is None for starter in self._starters.values())

    @property
    def in_use(self) -> bool:
        """Whether somebody is logged in, or something that they left is still at work."""
        return any(e.parent in self.pids.values() and e.pid not in self._services for e in process_table())

    def start(self) -> Wiring:
        """Switch both nodes on; returns when both answer.

        Raises:
            ProvisionError: One of them does not come up.
        """
        for node in NODES:
            self._starters[node] = self._start(node)
        self.pids = {node: _child(starter) for node, starter in self._starters.items()}
        wiring = wire(self.pids[ADMIN], self.pids[GPU])
        munge_key = secrets.token_hex(64)
        for node, starter in self._starters.items():
            spec = _spec(self._layout, self._settings, node, wiring, munge_key)
            with cast("IO[str]", starter.stdin) as line:
                line.write(json.dumps(asdict(spec)) + "\n")
        self._wait_for_sshd(ADMIN, wiring.admin)
        self._wait_for_sshd(GPU, wiring.gpu)
        self._services = {entry.pid for entry in process_table() if entry.parent in self.pids.values()}
        return wiring

    def stop(self) -> None:
        """Switch both off, as by their power switch: everything that runs on them ends."""
        for starter in self._starters.values():
            starter.kill()
            starter.wait()

    def _start(self, node: str) -> subprocess.Popen[str]:
        directory = node_directory(self._layout, node)
        shutil.rmtree(directory / "tmp", ignore_errors=True)
        for name in ("root", "tmp"):
            (directory / name).mkdir(parents=True, exist_ok=True)
        (directory / "tmp").chmod(0o1777)
        with (directory / "log").open("w") as log:
            return subprocess.Popen(
                [*_WITH_US, *_NEW_NODE, sys.executable, "-m", "scupi_provision.lab.real.node"],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                text=True,
                cwd="/",
            )

    def _wait_for_sshd(self, node: str, address: str) -> None:
        """Until sshd greets. gpu2 can only be asked from admin1."""
        deadline = time.monotonic() + _START_TIMEOUT_S
        while time.monotonic() < deadline and self.running:
            if in_network_of(self.pids[ADMIN], lambda: _greets(address)):
                return
            time.sleep(_POLL_S)
        ended = [name for name, starter in self._starters.items() if starter.poll() is not None]
        culprit = ended[0] if ended else node
        log = (node_directory(self._layout, culprit) / "log").read_text(encoding="utf-8", errors="replace")
        raise ProvisionError(f"{culprit} does not come up", detail=log.strip()[-_MOST_OF_A_LOG:])


def _child(starter: subprocess.Popen[str]) -> int:
    """The first process of a node, in our numbering; `unshare` forks it once the namespaces are made."""
    deadline = time.monotonic() + _START_TIMEOUT_S
    while time.monotonic() < deadline and starter.poll() is None:
        for entry in process_table():
            if entry.parent == starter.pid:
                return entry.pid
        time.sleep(_POLL_S)
    raise ProvisionError(
        "the kernel makes no namespaces for the lab's nodes",
        hint="in a container, give it CAP_SYS_ADMIN (docker run --privileged)",
    )


def _greets(address: str) -> bool:
    try:
        with socket.create_connection((address, _SSH_PORT), timeout=1) as connection:
            return connection.recv(8).startswith(b"SSH-2.0")
    except OSError:
        return False


def _spec(layout: LabLayout, settings: LabSettings, node: str, wiring: Wiring, munge_key: str) -> NodeSpec:
    directory = node_directory(layout, node)
    return NodeSpec(
        name=node,
        root=str(directory / "root"),
        scratch=str(directory / "tmp"),
        home=str(layout.home),
        account=ACCOUNT,
        uid=layout.home.stat().st_uid,
        account_home=ACCOUNT_HOME,
        login_shell=settings.login_shell,
        host_key=layout.host_key(node).read_text(encoding="ascii"),
        sshd_config=sshd_config(settings, ACCOUNT, HOST_KEY, asks_pam=settings.slurm and node == GPU),
        hosts=f"127.0.0.1 localhost\n{wiring.admin_inside} {ADMIN}\n{wiring.gpu} {GPU}\n",
        known_hosts=known_hosts(layout),
        boot_id=str(uuid.uuid4()),
        hidden=tuple(_hidden()) if node == GPU else (),
        system_accounts=slurm_accounts() if settings.slurm else "",
        files=slurm_files(node, munge_key) if settings.slurm else (),
        daemons=slurm_daemons(node) if settings.slurm else (),
    )


def _hidden() -> Iterator[str]:
    """The programs that gpu2 lacks, links followed: what a link leads to is what a mount can cover."""
    found: set[str] = set()
    for folder in _SEARCHED:
        for entry in os.scandir(folder) if Path(folder).is_dir() else ():
            if present_on_gpu(entry.name) and entry.name not in _DOWNLOADERS:
                continue
            target = Path(entry.path).resolve()
            if target.suffix == ".py":
                continue  # pdb3.11 leads to pdb.py, which every python imports; without python it does not run anyway
            # Never the target of a link that is another program (busybox as wget), and only what the node shows.
            is_its_own = not present_on_gpu(target.name) or target.name in _DOWNLOADERS
            if is_its_own and target.is_file() and target.is_relative_to("/usr"):
                found.add(str(target))
    yield from sorted(found)
