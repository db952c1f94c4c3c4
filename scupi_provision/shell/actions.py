"""The closed instruction set: everything that provision can do to a host.

Every action that replaces something carries `expect`: what the plan saw at that path. The host compares it in the same
step and reports `stale` when it no longer holds. Paths are absolute. Interpreters: `runtime.sh` (remote and local) and
`host.memory` (tests); a property test holds them together.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from scupi_provision.shell.entry import Entry
from scupi_provision.shell.inspection import Inspection


@dataclass(frozen=True)
class Mkdir:
    """Make one directory; its parent exists by then.

    Attributes:
        mode_asked: False when nobody asked for the mode: what is there already keeps its own.
    """

    path: str
    mode: int
    expect: Entry | None = None
    mode_asked: bool = field(default=True, compare=False, repr=False)


@dataclass(frozen=True)
class WriteFile:
    """Replace a file as a whole: temp in the same directory (created exclusively, 0600), content, mode, sync, rename.

    Attributes:
        content: The bytes; never shown.
        mode: Permission bits of the result.
        backup: Where a copy of the old file is kept first, or None.
        validate: A command that must succeed on the new content before it takes the name; `%s` stands for its path.
        mode_asked: False when nobody asked for the mode: what is there already keeps its own.
    """

    path: str
    content: bytes
    mode: int
    expect: Entry | None = None
    backup: str | None = None
    validate: tuple[str, ...] = ()
    mode_asked: bool = field(default=True, compare=False, repr=False)


@dataclass(frozen=True)
class CopyFile:
    """Replace `path` by a copy of `source`, a file on the same host (`remote_src`).

    Attributes:
        mode_asked: False when nobody asked for the mode: what is there already keeps its own.
    """

    source: str
    path: str
    mode: int
    expect: Entry | None = None
    mode_asked: bool = field(default=True, compare=False, repr=False)


@dataclass(frozen=True)
class SetMode:
    """Change the permission bits of a file or directory."""

    path: str
    mode: int
    expect: Entry | None = None


@dataclass(frozen=True)
class Link:
    """Make `path` a symbolic link to `target`, switching in one rename when there is a link already."""

    path: str
    target: str
    expect: Entry | None = None


@dataclass(frozen=True)
class HardLink:
    """Make `path` another name of the file `source`, switching in one rename when there is a file already."""

    path: str
    source: str
    expect: Entry | None = None


@dataclass(frozen=True)
class Keep:
    """Write what was read at `path` to a file of the controller: nothing for the host but the guard.

    Attributes:
        path: The file on the host.
        target: Where it goes on the controller, absolute.
        within: The folder of the controller out of which nothing may lead.
        content: The bytes; never shown.
        mode: Permission bits of the file on the controller.
    """

    path: str
    target: str
    within: str
    content: bytes = field(repr=False)
    mode: int = 0o600
    expect: Entry | None = None


@dataclass(frozen=True)
class Remove:
    """Remove a file, a link, or (with `recursive`) a directory with everything in it."""

    path: str
    recursive: bool = False
    expect: Entry | None = None


@dataclass(frozen=True)
class Touch:
    """Set a file's times, creating it empty when it is absent.

    Attributes:
        accessed: `now`, a time as POSIX `touch -t` reads it, where the host is, or "" to leave it.
        modified: Likewise.
    """

    path: str
    mode: int
    expect: Entry | None = None
    accessed: str = "now"
    modified: str = "now"


@dataclass(frozen=True)
class Fetch:
    """Download to `path`: sources in order, into a `.part` beside it, checked, then renamed.

    Attributes:
        urls: Tried in this order.
        sha256: What the content must hash to, or None when the playbook gave no checksum.
        timeout_s: For the whole download from one source.
        via: Who downloads: "host", "controller" (which sends the file on; it is there before the stream begins), or
            "auto": the host, and the controller where the host cannot.
        mode_asked: False when nobody asked for the mode: what is there already keeps its own.
    """

    urls: tuple[str, ...]
    path: str
    mode: int
    sha256: str | None = None
    timeout_s: int = 3600
    expect: Entry | None = None
    via: str = "host"
    mode_asked: bool = field(default=True, compare=False, repr=False)


@dataclass(frozen=True)
class Extract:
    """Unpack an archive into an existing directory.

    Attributes:
        strip: Leading path components removed from every member.
        empty_first: Remove what is in `directory` before (for trees that are ours alone).
        options: For tar (or unzip).
        members: The only ones that are unpacked; for zip also `-x` and those that are not.
    """

    archive: str
    directory: str
    strip: int = 0
    empty_first: bool = False
    options: tuple[str, ...] = ()
    members: tuple[str, ...] = ()


_POSIX_SHELLS = frozenset({"ash", "bash", "dash", "ksh", "mksh", "sh", "zsh"})
"""Shells that read a file with `.` as they would read the text itself."""


DONE_AT_ONCE = ".done-"
"""In the id of a job of `async` that was none: its task runs no program, and was done when it was begun."""


@dataclass(frozen=True)
class Async:
    """What a task's `async` and `poll` ask for.

    Attributes:
        limit_s: Seconds that the program may take, whoever still waits for it.
        title: What it is, for people who list jobs.
        waits: Whether its end is waited for.
    """

    limit_s: int
    title: str
    waits: bool


@dataclass(frozen=True)
class Run:
    """Run a program. Opaque: what it does is known only through `writes` and by looking again.

    Attributes:
        argv: The program and its arguments; a shell command is `("/bin/sh", "-c", text)`.
        cwd: Working directory; the home when None.
        environment: Added to a clean environment of HOME, USER, LOGNAME, SHELL, LANG, PATH.
        stdin: What the program reads; /dev/null when empty.
        timeout_s: Then TERM, then KILL.
        phase: What people see while it runs, e.g. "make".
        durable_key: When set, the program outlives a lost connection as job `~/.provision/jobs/<key>`; the next apply
            with the same key joins it or takes its result.
        creates: Paths that must exist afterwards (the postcondition).
        writes: Subtrees that it changes; None when it may write anywhere.
        uses: Subtrees that it reads or starts, besides what the plan has looked at for this step.
        fails_when_nonzero: False when the caller judges the exit status.
        login: Run by the account's own shell as a fresh login shell (`-l -c`), with nothing but HOME, USER, LOGNAME,
            SHELL, TERM in its environment.
        confidential: It is given a secret: nothing of what it says stays on the host when it has ended, and the text
            that a shell runs is no word of its command line.
        asynchronous: Set for a job of `async`; `durable_key` is its id then.
    """

    argv: tuple[str, ...]
    cwd: str | None = None
    environment: tuple[tuple[str, str], ...] = ()
    stdin: bytes = b""
    timeout_s: int = 86400
    phase: str = ""
    durable_key: str | None = None
    creates: tuple[str, ...] = ()
    writes: tuple[str, ...] | None = None
    uses: tuple[str, ...] = ()
    fails_when_nonzero: bool = True
    login: bool = False
    confidential: bool = False
    asynchronous: Async | None = None

    @property
    def shell_text(self) -> str | None:
        """The text that a confidential program's shell reads from a file, or None when its words are as they are."""
        is_shell = len(self.argv) == 3 and self.argv[1] == "-c" and self.argv[0].rpartition("/")[2] in _POSIX_SHELLS
        return self.argv[2] if self.confidential and is_shell and not self.login else None

    @property
    def visible_words(self) -> tuple[str, ...]:
        """What everybody on the host can see of it in the list of processes."""
        return self.argv if self.shell_text is None else self.argv[:2]


@dataclass(frozen=True)
class Recheck:
    """Compare what later steps rely on with what is there now, all in one go; a mismatch is `stale`.

    Attributes:
        entries: Path and what the plan saw there.
        names: Pattern (`*` is the only wildcard) and the paths that the plan saw it match.
        inspections: Question and what the plan was told.
    """

    entries: tuple[tuple[str, Entry], ...] = ()
    names: tuple[tuple[str, tuple[str, ...]], ...] = ()
    inspections: tuple[tuple[Inspection, bytes], ...] = field(default=(), repr=False)


Action = (
    Mkdir | WriteFile | CopyFile | SetMode | Link | HardLink | Keep | Remove | Touch | Fetch | Extract | Run | Recheck
)
