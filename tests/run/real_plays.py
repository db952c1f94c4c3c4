"""As `plays`, on a temporary home of this machine."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from plays import Plays
from scupi_provision.host.snapshot import Needs, Snapshot
from scupi_provision.plan.models import Plan
from scupi_provision.plan.planner import make_plan
from scupi_provision.run.host_run import HostRun
from scupi_provision.run.session import Session
from scupi_provision.transport.local import LocalTransport

HOME_ONLY = {"SHELL": "/bin/sh", "LANG": "C.UTF-8", "USER": "me", "PATH": os.environ["PATH"]}


def tree(folder: Path) -> dict[str, Any]:
    """Everything below `folder`: paths to kinds, modes and contents; without what provision keeps for itself."""
    found: dict[str, Any] = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if name.split("/", maxsplit=1)[0] == ".provision":
            continue
        mode = path.lstat().st_mode & 0o7777
        if path.is_symlink():
            found[name] = str(path.readlink())
        else:
            found[name] = (mode, path.read_bytes() if path.is_file() else None)
    return found


@dataclass
class RealPlays(Plays):
    """A folder of playbook files, a home, and an open session on it."""

    home: Path = field(default=Path())
    session: Any = None

    def __post_init__(self) -> None:
        self.session = self.open()

    def open(self) -> Session:
        transport = LocalTransport({"HOME": str(self.home), **HOME_ONLY})
        return Session(transport, run_id=f"run-{secrets.token_hex(3)}", owner="tests")

    def close(self) -> None:
        self.session.close()

    def snapshot(self) -> Snapshot:
        snapshot = Snapshot()
        self.session.read(Needs(facts=True), snapshot)
        assert snapshot.facts is not None
        self.memory.facts = snapshot.facts.raw
        return snapshot

    def run(self, text: str, **settings: Any) -> HostRun:
        snapshot = self.snapshot()
        return HostRun("admin1", self.session, self.planning(text, **settings), snapshot)

    def check(self, text: str, **settings: Any) -> Plan:
        snapshot = self.snapshot()
        return make_plan(self.planning(text, check_mode=True, **settings), {}, snapshot, self.session.read)

    def content(self, path: str) -> str:
        return (self.home / path.removeprefix("~/")).read_text(encoding="utf-8")

    def put(self, path: str, text: str) -> Path:
        file = self.home / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        return file

    @property
    def tree(self) -> dict[str, Any]:
        return tree(self.home)
