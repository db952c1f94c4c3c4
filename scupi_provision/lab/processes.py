"""Which processes belong to the lab, and how they end when it goes down."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

_PR_SET_CHILD_SUBREAPER = 36


@dataclass(frozen=True)
class ProcessEntry:
    """One row of the process table."""

    pid: int
    parent: int
    group: int
    zombie: bool


def adopt_orphans() -> None:
    """On Linux, make this process the parent of daemons that its commands leave behind, so that none gets lost."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def process_table() -> list[ProcessEntry]:
    """Every process of the machine that we may see."""
    return _table_from_proc() if Path("/proc/self/stat").exists() else _table_from_ps()


def family(root: int, groups: frozenset[int] = frozenset()) -> set[int]:
    """Living processes that descend from `root` or are in one of the process `groups`, without `root` itself."""
    table = [entry for entry in process_table() if not entry.zombie]
    members = {root}
    grown = True
    while grown:
        found = {e.pid for e in table if e.parent in members or e.group in groups}
        grown = not found <= members
        members |= found
    return members - {root}


def end_family(root: int, groups: frozenset[int] = frozenset(), patience_s: float = 1.0) -> None:
    """End all of `family`: hang-up and terminate first, kill what is left after `patience_s`."""
    _signal_all(family(root, groups), signal.SIGHUP, signal.SIGTERM)
    deadline = time.monotonic() + patience_s
    while family(root, groups) and time.monotonic() < deadline:
        time.sleep(0.02)
    # What is being killed may still fork, so look again until nobody is there.
    for _ in range(50):
        left = family(root, groups)
        if not left:
            return
        _signal_all(left, signal.SIGKILL)
        time.sleep(0.02)


def reap_adopted(own: frozenset[int]) -> None:
    """Collect dead children that were adopted. `own` are those that somebody else waits for."""
    me = os.getpid()
    for entry in process_table():
        if entry.zombie and entry.parent == me and entry.pid not in own:
            try:
                os.waitpid(entry.pid, os.WNOHANG)
            except ChildProcessError:
                continue  # its own waiter was faster


def _signal_all(pids: set[int], *numbers: signal.Signals) -> None:
    for pid in pids:
        for number in numbers:
            _signal(pid, number)


def _signal(pid: int, number: signal.Signals) -> None:
    # Gone, or no longer ours (a set-uid program): either way there is nothing more to do about it.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)


def _table_from_proc() -> list[ProcessEntry]:
    entries = []
    for directory in os.scandir("/proc"):
        if not directory.name.isdecimal():
            continue
        try:
            text = Path(directory.path, "stat").read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue  # ended between the listing and the read
        # The second field is the program's name in parentheses and may contain anything, even ")".
        state, parent, group = text.rpartition(")")[2].split()[:3]
        entries.append(ProcessEntry(int(directory.name), int(parent), int(group), state in "ZX"))
    return entries


def _table_from_ps() -> list[ProcessEntry]:
    listing = subprocess.run(["ps", "-A", "-o", "pid=,ppid=,pgid=,state="], capture_output=True, text=True, check=True)
    rows = [line.split() for line in listing.stdout.splitlines()]
    return [ProcessEntry(int(r[0]), int(r[1]), int(r[2]), r[3].startswith("Z")) for r in rows]
