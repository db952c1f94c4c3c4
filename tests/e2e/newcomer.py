"""A person with a fresh checkout and an empty home who types commands, and what they can see of the hosts."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scupi_provision.lab.commands import Lab, status
from scupi_provision.lab.layout import lab_layout

CHECKOUT = Path(__file__).parents[2]
PATIENCE_S = 60.0
CACHE = lab_layout().cache
"""Downloads are shared by all labs of whoever runs the tests; everything else is made anew."""

CHANGES = {"changed", "would_change", "known_after_apply"}


@dataclass(frozen=True)
class Ended:
    """A command of `provision` that has ended."""

    code: int
    stdout: str
    stderr: str

    @property
    def events(self) -> list[dict[str, Any]]:
        """What `--json` said: every line of stdout must be an object."""
        return [json.loads(line) for line in self.stdout.splitlines()]

    def of(self, kind: str) -> list[dict[str, Any]]:
        """The events of one kind."""
        return [event for event in self.events if event["event"] == kind]

    def changes(self) -> list[tuple[str, ...]]:
        """The tasks that changed something, or would: host, role, name, item; in their order."""
        return [
            (event["host"], *(event["task"][key] for key in ("role", "name", "item")))
            for event in self.of("TaskFinished")
            if event["outcome"] in CHANGES
        ]


@dataclass(frozen=True)
class Newcomer:
    """Runs `provision` as a process of its own, from `place`, with nothing in the home and a lab in `lab_directory`."""

    home: Path
    lab_directory: Path
    place: Path = CHECKOUT

    def run(self, *arguments: object, place: Path | None = None, patience_s: float = PATIENCE_S) -> Ended:
        """Run a command to its end."""
        process = self.start(*arguments, place=place)
        return ended(process, patience_s)

    def start(
        self, *arguments: object, place: Path | None = None, stdin: int = subprocess.DEVNULL
    ) -> subprocess.Popen[str]:
        """Start a command; its pipes are the caller's to read."""
        return subprocess.Popen(
            [sys.executable, "-m", "scupi_provision", *map(str, arguments)],
            cwd=place or self.place,
            env=self._environment(),
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def _environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PROVISION", "XDG", "SSH"))}
        return kept | {
            "HOME": str(self.home),
            "PROVISION_LAB_DIR": str(self.lab_directory),
            "PROVISION_LAB_CACHE": str(CACHE),
            "COLUMNS": "200",
            "NO_COLOR": "1",
        }


def ended(process: subprocess.Popen[str], patience_s: float = PATIENCE_S) -> Ended:
    """Wait for a command; one that does not end is killed and fails the test."""
    try:
        stdout, stderr = process.communicate(timeout=patience_s)
    except subprocess.TimeoutExpired:
        process.kill()
        stdout, stderr = process.communicate()
        raise AssertionError(f"provision did not end within {patience_s:g} s\n{stdout}\n{stderr}") from None
    return Ended(process.returncode, stdout, stderr)


def lines_until(process: subprocess.Popen[str], wanted: Callable[[dict[str, Any]], bool]) -> list[dict[str, Any]]:
    """The events that a running `--json` command tells, up to the first that is wanted."""
    seen = []
    for line in process.stdout or ():
        seen.append(json.loads(line))
        if wanted(seen[-1]):
            return seen
    raise AssertionError(f"the run ended before it told that; it told {seen[-5:]}\n{ended(process)}")


def interrupt(process: subprocess.Popen[str], number: signal.Signals = signal.SIGINT) -> None:
    """What Ctrl-C or `kill -9` does to the controller."""
    process.send_signal(number)


Tree = dict[str, tuple[str, int, int, str]]


def tree(directory: Path) -> Tree:
    """Everything below `directory`: kind, mode, time of the last change (ns), and hash or target."""
    return {str(path.relative_to(directory)): _look(path) for path in [directory, *_below(directory)]}


def _below(directory: Path) -> Iterator[Path]:
    for folder, directories, files in os.walk(directory):
        yield from (Path(folder, name) for name in (*directories, *files))


def _look(path: Path) -> tuple[str, int, int, str]:
    status = path.lstat()
    if path.is_symlink():
        kind, content = "link", str(path.readlink())
    elif path.is_dir():
        kind, content = "directory", ""
    else:
        kind, content = "file", hashlib.sha256(path.read_bytes()).hexdigest()
    return kind, status.st_mode & 0o7777, status.st_mtime_ns, content


def comes_true(claim: Callable[[], bool], within_s: float) -> bool:
    """Whether `claim` holds at some moment within the time."""
    deadline = time.monotonic() + within_s
    while not claim():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


@contextmanager
def never(what: Callable[[], bool]) -> Iterator[None]:
    """Look all the time whether `what` is so; at the end of the block, fail if it ever was."""
    seen: list[float] = []
    over = threading.Event()
    started = time.monotonic()

    def watch() -> None:
        while not over.wait(0.01):
            if what():
                seen.append(time.monotonic() - started)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()
    assert not seen, f"it was so {len(seen)} times, first after {seen[0]:.2f} s"


def text_of(path: Path) -> str:
    """What is in the file, "" when there is none."""
    try:
        return path.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return ""


def daemon(lab: Lab) -> int | None:
    """The process from which everything on the lab's hosts descends."""
    return status(directory=lab.directory).pid


def family(pid: int | None) -> dict[int, str]:
    """The descendants of a process, by their command lines. The lab's daemon adopts what its commands leave behind."""
    parents, names = {}, {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            fields = entry.joinpath("stat").read_text().rpartition(")")[2].split()
            command = entry.joinpath("cmdline").read_bytes()
        except OSError:
            continue  # it ended while we looked
        if fields[0] != "Z":
            parents[int(entry.name)] = int(fields[1])
            names[int(entry.name)] = command.replace(b"\0", b" ").decode(errors="replace").strip()
    found: dict[int, str] = {}
    ring = {pid} - {None}
    while ring:
        ring = {child for child, parent in parents.items() if parent in ring}
        found |= {child: names[child] for child in ring}
    return found
