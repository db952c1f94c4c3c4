"""A site on a home of this machine that is applied, and compiled and run, so that the outcomes can be compared."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import subprocess
import tarfile
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scupi_provision.events import Event
from scupi_provision.run.apply import apply
from scupi_provision.run.compile import Compiled, Wish, compile_site, look_script
from scupi_provision.run.request import RunRequest
from scupi_provision.run.site import load_site

SHELLS = {"dash": ["dash"], "bash": ["bash"], "busybox": ["busybox", "ash"], "mksh": ["mksh"]}
ENVIRONMENT = {"SHELL": "/bin/sh", "USER": "me", "LANG": "C.UTF-8", "PATH": "/usr/local/bin:/usr/bin:/bin"}
_OF_RUNS = (".provision/runs", ".provision/jobs", ".provision/verified")
"""What tells of runs and not of the account: logs, pids, dates."""
_INVENTORY = """\
all:
  vars:
    ansible_connection: local
    provision_assumed: {{home: "{home}", shell: /bin/sh}}
  hosts: {{admin1: , gpu2: }}
accounts:
  - {{id: me, key: nowhere}}
"""


def tarball(path: Path) -> str:
    """The source of a program that prints `hello`; its SHA-256."""
    files = {
        "hello-1/configure": '#!/bin/sh\necho "prefix = ${1#--prefix=}" >config.mk\n',
        "hello-1/Makefile": (
            "include config.mk\nall: hello\nhello:\n\tprintf '#!/bin/sh\\necho hello\\n' >hello\n"
            "install: hello\n\tmkdir -p $(prefix)/bin && cp hello $(prefix)/bin && chmod 755 $(prefix)/bin/hello\n"
        ),
    }
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(text), 0o755
            archive.addfile(member, io.BytesIO(text.encode()))
    path.write_bytes(buffer.getvalue())
    return hashlib.sha256(buffer.getvalue()).hexdigest()


def tree(home: Path) -> dict[str, Any]:
    """Everything in the home but what runs leave about themselves: modes, contents, targets."""
    found: dict[str, Any] = {}
    for path in sorted(home.rglob("*")):
        name = str(path.relative_to(home))
        if name.startswith(_OF_RUNS):
            continue
        mode = path.lstat().st_mode & 0o7777
        found[name] = (
            str(path.readlink()) if path.is_symlink() else (mode, path.read_bytes() if path.is_file() else None)
        )
    return found


@dataclass(frozen=True)
class Ran:
    """How a script ended."""

    code: int
    output: str

    @property
    def changed(self) -> list[str]:
        """The labels of the steps that changed something."""
        lines = (line.strip() for line in self.output.splitlines())
        return [line.removeprefix("changed").strip() for line in lines if line.startswith("changed ")]


@dataclass
class Account:
    """A home, and the folder of the person who has the playbook.

    Attributes:
        files: What is in the home on the first day.
    """

    home: Path
    place: Path
    files: dict[str, str]

    def first_day(self) -> None:
        """The home as it was before anything was done."""
        shutil.rmtree(self.home, ignore_errors=True)
        self.home.mkdir()
        for name, text in self.files.items():
            path = self.home / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")

    def request(self, playbook: str, **more: Any) -> RunRequest:
        path, inventory = self.place / "site.yaml", self.place / "inventory.yaml"
        path.write_text(textwrap.dedent(playbook), encoding="utf-8")
        inventory.write_text(_INVENTORY.format(home=self.home), encoding="utf-8")
        return RunRequest(path, inventory, **more)

    def apply(self, playbook: str) -> list[Event]:
        return list(apply(load_site(self.request(playbook))))

    def compile(self, playbook: str, extra: dict[str, Any] | None = None, **wish: Any) -> Compiled:
        return compile_site(load_site(self.request(playbook, extra=extra or {}), dials=False), Wish(**wish))

    def look_script(self, playbook: str, **wish: Any) -> Compiled:
        return look_script(load_site(self.request(playbook), dials=False), Wish(**wish))

    def run(self, script: str, shell: str = "dash", *arguments: str, path: str | None = None) -> Ran:
        file = self.place / "site.sh"
        file.write_text(script, encoding="utf-8", errors="surrogateescape")
        environment = {**ENVIRONMENT, "HOME": str(self.home), **({"PATH": path} if path else {})}
        done = subprocess.run(
            [*SHELLS[shell], str(file), *arguments], env=environment, cwd=self.place, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120, check=False,
            preexec_fn=lambda: os.umask(0o022),
        )  # fmt: skip
        return Ran(done.returncode, done.stdout)
