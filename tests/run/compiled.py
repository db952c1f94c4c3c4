"""A site on a home of this machine that is applied, and compiled and run, so that the outcomes can be compared."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import signal
import subprocess
import tarfile
import termios
import textwrap
import threading
import time
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
    provision_assumed: {known}
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

    def request(self, playbook: str, known: dict[str, Any] | None = None, **more: Any) -> RunRequest:
        path, inventory = self.place / "site.yaml", self.place / "inventory.yaml"
        path.write_text(textwrap.dedent(playbook), encoding="utf-8")
        facts = {"home": str(self.home), "shell": "/bin/sh", **(known or {})}
        inventory.write_text(_INVENTORY.format(known=json.dumps(facts)), encoding="utf-8")
        return RunRequest(path, inventory, **more)

    def apply(self, playbook: str) -> list[Event]:
        return list(apply(load_site(self.request(playbook))))

    def compile(self, playbook: str, known: dict[str, Any] | None = None, **wish: Any) -> Compiled:
        return compile_site(load_site(self.request(playbook, known), dials=False), Wish(**wish))

    def look_script(self, playbook: str, **wish: Any) -> Compiled:
        return look_script(load_site(self.request(playbook), dials=False), Wish(**wish))

    def start(
        self, script: str, shell: str = "dash", *arguments: str, shell_of_account: str = "/bin/sh"
    ) -> subprocess.Popen[str]:
        """The script as the person starts it, in a session of its own."""
        file = self.place / "site.sh"
        file.write_text(script, encoding="utf-8", errors="surrogateescape")
        command = ["env", f"SHELL={shell_of_account}", *SHELLS[shell], str(file), *arguments]
        return self._shell(command, stdin=subprocess.DEVNULL)

    def run(self, script: str, shell: str = "dash", *arguments: str, shell_of_account: str = "/bin/sh") -> Ran:
        process = self.start(script, shell, *arguments, shell_of_account=shell_of_account)
        output, _ = process.communicate(timeout=120)
        return Ran(process.returncode, output)

    def paste(self, text: str, shell: str) -> Ran:
        """The text pasted into a terminal in which that shell runs, and what is to be seen then."""
        ours, theirs = os.openpty()
        attributes = termios.tcgetattr(theirs)
        attributes[3] &= ~termios.ECHO
        termios.tcsetattr(theirs, termios.TCSANOW, attributes)
        process = self._shell(SHELLS[shell], stdin=theirs, terminal=theirs)
        os.close(theirs)
        typing = threading.Thread(target=_write, args=(ours, f"{text}exit\n".encode()))
        typing.start()
        seen = b"".join(iter(lambda: _read(ours), b""))
        typing.join()
        os.close(ours)
        return Ran(process.wait(timeout=60), seen.decode().replace("\r\n", "\n"))

    def kill(self, script: str, after_s: float) -> None:
        """Start the script, and end it and its children by KILL."""
        process = self.start(script)
        time.sleep(after_s)
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate(timeout=30)

    def wait_for(self, name: str) -> None:
        """Wait until there is such a path in the home."""
        deadline = time.monotonic() + 20
        while not (self.home / name).exists():
            assert time.monotonic() < deadline, f"{name} did not appear"
            time.sleep(0.05)

    def _shell(self, command: list[str], stdin: int, terminal: int | None = None) -> subprocess.Popen[str]:
        return subprocess.Popen(
            command, env={**ENVIRONMENT, "HOME": str(self.home), "TERM": "dumb"}, cwd=self.home, stdin=stdin,
            stdout=subprocess.PIPE if terminal is None else terminal, stderr=subprocess.STDOUT, text=True,
            start_new_session=True, umask=0o022,
        )  # fmt: skip


def _write(terminal: int, data: bytes) -> None:
    while data:
        data = data[os.write(terminal, data[:1024]) :]


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # the last program that had it open has ended
        return b""
