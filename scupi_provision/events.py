"""Everything that can happen in a run, as frozen data: `run/` yields it, `report/` shows it, nobody else prints."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from scupi_provision.errors import Diagnostic, Position


class Outcome(str, Enum):
    """What became (or would become) of one task on one host. These are the only outcomes."""

    OK = "ok"
    CHANGED = "changed"
    WOULD_CHANGE = "would_change"
    SKIPPED = "skipped"
    FAILED = "failed"
    RESCUED = "rescued"
    IGNORED = "ignored"
    UNREACHABLE = "unreachable"
    UNKNOWN = "known_after_apply"


@dataclass(frozen=True)
class TaskLabel:
    """How a task is named to people.

    Attributes:
        name: The task's rendered name, or its module's name when it has none.
        module: The module's short name, e.g. `copy`.
        role: The role it came from, or "".
        item: The loop item's label, or "" outside loops.
        where: The task's place in its playbook or role file.
    """

    name: str
    module: str
    role: str = ""
    item: str = ""
    where: Position | None = None

    def __str__(self) -> str:
        role = f"{self.role} : " if self.role else ""
        item = f" ({self.item})" if self.item else ""
        return f"{role}{self.name}{item}"


@dataclass(frozen=True)
class Diff:
    """A change of one file or attribute, in words a person can check.

    Attributes:
        path: What changes (a path on the host, or a thing such as "package torch").
        before: Text before, None when it did not exist or is not text.
        after: Text after, None when it is removed or not text.
        summary: One line, e.g. "mode 0644 -> 0600", "create directory", "build git 2.47.3".
    """

    path: str
    before: str | None = None
    after: str | None = None
    summary: str = ""


@dataclass(frozen=True)
class RunStarted:
    """A verb begins. `stand_ins` says what in this run is not the real thing (no GPU, a local mirror)."""

    verb: str
    site: str
    hosts: tuple[str, ...]
    stand_ins: tuple[str, ...] = ()


@dataclass(frozen=True)
class Notice:
    """Something a person should know. `level` is "info" or "warning"."""

    text: str
    host: str = ""
    level: str = "info"


@dataclass(frozen=True)
class HostConnected:
    """Every hop of the route was opened and verified. `via` names the hops before the last."""

    host: str
    address: str
    via: tuple[str, ...]
    seconds: float


@dataclass(frozen=True)
class HostUnreachable:
    """The host drops out of the run."""

    host: str
    error: Diagnostic


@dataclass(frozen=True)
class PlayStarted:
    """A play begins on these hosts. `stage` is "apply" or "verify"."""

    name: str
    hosts: tuple[str, ...]
    stage: str = "apply"


@dataclass(frozen=True)
class TaskStarted:
    """A task's actions begin to run on the host (only tasks that change something start)."""

    host: str
    task: TaskLabel


@dataclass(frozen=True)
class TaskProgress:
    """A long task is alive. `phase` is e.g. "make"; `last_line` is the last line of its output (untrusted text)."""

    host: str
    task: TaskLabel
    phase: str
    elapsed_s: float
    last_line: str


@dataclass(frozen=True)
class TaskFinished:
    """A task ended (apply) or was planned (check).

    Attributes:
        message: Why it was skipped or failed, what `debug` says, or what is not known yet.
        diffs: What changed or would change; empty for secrets.
        output: The last lines of a failed command.
        log: Path on the host of the full log, or "".
        error: Set when `outcome` is FAILED and the cause has a position or a hint.
    """

    host: str
    task: TaskLabel
    outcome: Outcome
    message: str = ""
    diffs: tuple[Diff, ...] = ()
    output: str = ""
    log: str = ""
    seconds: float = 0.0
    error: Diagnostic | None = None


@dataclass(frozen=True)
class CheckFinished:
    """One claim about a host was tested by `expect` (or assert) in a verify stage."""

    host: str
    task: TaskLabel
    passed: bool
    expected: str
    seen: str


@dataclass(frozen=True)
class Verified:
    """The verification of a host was not run again because its proof still stands (nothing changed since)."""

    host: str
    checks: int
    when: str


@dataclass(frozen=True)
class Proved:
    """A fresh read of the host was planned again.

    `remaining` lists tasks that would still change something; `unprovable` lists commands without
    `creates`/`removes`, about which a plan can say nothing; `undone` lists tasks that change something each time
    and of which other tasks leave nothing, such as a temporary folder.
    """

    host: str
    remaining: tuple[TaskLabel, ...] = ()
    unprovable: tuple[TaskLabel, ...] = ()
    undone: tuple[TaskLabel, ...] = ()


@dataclass(frozen=True)
class HostSummary:
    """The closing line of one host. `round_trips` counts exchanges after authentication, all stages together."""

    host: str
    counts: dict[Outcome, int] = field(default_factory=dict)
    checks_passed: int = 0
    checks_failed: int = 0
    round_trips: int = 0
    seconds: float = 0.0


@dataclass(frozen=True)
class RunFinished:
    """The run is over. `exit_code` is the process's (0, 1, 2, 3, 4, 5, 130)."""

    verb: str
    exit_code: int
    seconds: float


Event = (
    RunStarted
    | Notice
    | HostConnected
    | HostUnreachable
    | PlayStarted
    | TaskStarted
    | TaskProgress
    | TaskFinished
    | CheckFinished
    | Verified
    | Proved
    | HostSummary
    | RunFinished
)
