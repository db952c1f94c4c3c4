"""What a rescue finds and does, as values."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Fault(Enum):
    """What a line does to a login. The order is that in which faults are looked for."""

    SYNTAX = "the shell cannot read it, and reads nothing after it"
    HANGS = "it does not end: it sleeps, loops or waits"
    ENDS = "it ends the shell, so that no command runs"
    SILENCES = "it closes standard output or sends it elsewhere, so that nothing comes back"
    READS = "it reads or closes standard input, on which ssh, scp and rsync send what is meant for a command"
    PATH = "after it not even `ls` is found: PATH is spoilt"
    PRINTS = "it prints, which breaks scp, rsync and VS Code"
    WINDOWS = "its lines end as Windows has them, and the shell takes the carriage return for a part of each line"


@dataclass(frozen=True)
class WayTried:
    """One way into the account. `problem` is "" when it led in."""

    way: str
    problem: str = ""


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong in a start-up file.

    Attributes:
        path: The file on the host.
        first, last: Its lines, from 1.
        text: What stands there (untrusted).
        fault: What it does.
        occasion: When the file is read.
        said: The shell's own words, "" when it had none (untrusted).
        ours: Whether it is in the block that provision keeps.
    """

    path: str
    first: int
    last: int
    text: str
    fault: Fault
    occasion: str
    said: str = ""
    ours: bool = False


@dataclass(frozen=True)
class ModeFinding:
    """Permissions with which sshd does not accept the account's keys (StrictModes)."""

    path: str
    mode: int
    wanted: int


@dataclass(frozen=True)
class Repaired:
    """A file was put right. `backup` is where its bytes of before are; "" when only permissions were changed."""

    path: str
    backup: str = ""


@dataclass(frozen=True)
class Restored:
    """A file is again as it was before an earlier rescue."""

    path: str
    of: str
    backup: str


@dataclass(frozen=True)
class LoggedIn:
    """How the fresh login at the end went, over every hop. `problem` is "" when all is well."""

    host: str
    seconds: float
    problem: str = ""


@dataclass(frozen=True)
class Unrepaired:
    """Why what was found stays as it is."""

    why: str


@dataclass(frozen=True)
class Healthy:
    """Nothing is wrong with the account's files."""


Step = WayTried | Finding | ModeFinding | Repaired | Restored | LoggedIn | Unrepaired | Healthy
"""What a rescue tells, in its order."""
