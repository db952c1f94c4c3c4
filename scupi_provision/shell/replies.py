"""What a host answers, decoded. Text in these comes from the host and is never trusted, rendered or evaluated."""

from __future__ import annotations

from dataclasses import dataclass

from scupi_provision.shell.entry import Entry


@dataclass(frozen=True)
class FactReply:
    """One fact."""

    name: str
    value: str


@dataclass(frozen=True)
class EntriesReply:
    """The entries of one batch of paths, in the order asked. `None` where the host changed while it was read."""

    entries: tuple[Entry | None, ...]


@dataclass(frozen=True)
class ContentsReply:
    """The bytes of one batch of files, one after another."""

    content: bytes


@dataclass(frozen=True)
class NamesReply:
    """What one glob matched: full paths, in the shell's order."""

    paths: tuple[str, ...]


@dataclass(frozen=True)
class StepBegun:
    """A step's first action starts."""

    step: int


@dataclass(frozen=True)
class StepDone:
    """A step's last action ended well."""

    step: int


@dataclass(frozen=True)
class StepFailed:
    """An action of a step failed; the stream stops there. `why` is the runtime's sentence, `output` the tool's own."""

    step: int
    why: str
    output: str


@dataclass(frozen=True)
class StepStale:
    """What the plan relied on no longer holds; nothing of this action was done, the stream stops there."""

    step: int
    why: str


@dataclass(frozen=True)
class RunReply:
    """A program ended.

    Attributes:
        status: Exit status; 124 after a timeout, 137 when it vanished.
        stdout: The last bytes of its standard output, as many as were asked to be kept.
        stderr: Likewise.
        log: The directory on the host that holds `out` and `err`.
        seconds: How long it took, when it ran aside and ended unattended; else None.
        times: When it began and ended, as `stat -c %y` writes times of the host; () when that is not known.
    """

    step: int
    status: int
    stdout: bytes
    stderr: bytes
    log: str
    seconds: int | None = None
    times: tuple[str, ...] = ()


@dataclass(frozen=True)
class ProgressReply:
    """A program is alive.

    `elapsed_s` counts seconds since it began (or was joined); `phase` is what it says it is at, or "".
    """

    step: int
    elapsed_s: int
    phase: str
    last_line: str


@dataclass(frozen=True)
class NoteReply:
    """Something worth a person's attention that is no failure."""

    text: str


@dataclass(frozen=True)
class LockedReply:
    """Another run holds the lock: `node boot pid owner`."""

    owner: str


@dataclass(frozen=True)
class DeniedReply:
    """The lock could not even be tried."""

    why: str


@dataclass(frozen=True)
class GuardReply:
    """What the lockout guard has done.

    Attributes:
        what: "back": the path is as it was before; "left": it is not, because somebody has changed it since; "lost": it
            is not, because that failed; "forth": it has the change again; "kept": the guard is over (no path); "busy":
            another run waits for its verdict (no path).
        path: Which path, or "".
    """

    what: str
    path: str


@dataclass(frozen=True)
class EndReply:
    """The program has ended and every event before it has arrived."""


Reply = (
    FactReply
    | EntriesReply
    | ContentsReply
    | NamesReply
    | StepBegun
    | StepDone
    | StepFailed
    | StepStale
    | RunReply
    | ProgressReply
    | NoteReply
    | LockedReply
    | DeniedReply
    | GuardReply
    | EndReply
)
