"""A host in memory: the same actions, the same guards, no machine. What modules are tested on.

It does what `runtime.sh` does with an action, as far as a plan can tell; a property test holds the two together.
"""

from __future__ import annotations

import hashlib
import posixpath
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import singledispatchmethod

from scupi_provision.host.facts import Facts
from scupi_provision.host.memory_inspections import answer
from scupi_provision.host.reading import matches
from scupi_provision.host.snapshot import Needs, Snapshot
from scupi_provision.shell.actions import (
    Action,
    CopyFile,
    Extract,
    Fetch,
    HardLink,
    Keep,
    Link,
    Mkdir,
    Recheck,
    Remove,
    Run,
    SetMode,
    Touch,
    WriteFile,
)
from scupi_provision.shell.entry import ABSENT, Entry, Kind
from scupi_provision.shell.replies import RunReply

HOME = "/home/student"
FACTS = {
    "home": HOME, "user": "student", "uid": "1000", "gid": "1000", "group": "student", "umask": "022", "cpus": "2",
    "path": "/usr/local/bin:/usr/bin:/bin", "shell": "/bin/bash", "architecture": "x86_64", "system": "Linux",
    "nodename": "admin1", "date": "2025-01-31T12:00:00Z",
}  # fmt: skip
_MOST_LINKS = 40


@dataclass(frozen=True)
class Node:
    """What is at one path. `content` is for files, `target` for links; `readable` is False for a file of another's."""

    kind: Kind
    mode: int = 0o644
    content: bytes = b""
    target: str = ""
    readable: bool = True

    def entry(self) -> Entry:
        """The node as a host describes it."""
        if self.kind is Kind.LINK:
            return Entry(Kind.LINK, target=self.target)
        if self.kind is not Kind.FILE:
            return Entry(self.kind, self.mode)
        digest = hashlib.sha256(self.content).hexdigest() if self.readable else None
        return Entry(Kind.FILE, self.mode, len(self.content), digest)


@dataclass(frozen=True)
class Performed:
    """How a step ended: "done", "failed" or "stale", why, and what its programs said."""

    outcome: str
    why: str = ""
    runs: tuple[RunReply, ...] = ()


class _StopError(Exception):
    def __init__(self, outcome: str, why: str) -> None:
        super().__init__(why)
        self.outcome = outcome


RunProgram = Callable[[Run, "MemoryHost"], RunReply]
"""What a program does to the host and says."""


def no_program(action: Run, _host: MemoryHost) -> RunReply:
    """The default: there is no program on this host."""
    return RunReply(0, 127, b"", f"{action.argv[0]}: not found".encode(), "")


@dataclass
class MemoryHost:
    """A host in memory.

    Attributes:
        nodes: By absolute path; the home and `/` are always there.
        facts: As `facts.sh` would tell them.
        urls: What can be downloaded.
        run: What programs do.
        exchanges: How often it was read.
    """

    nodes: dict[str, Node] = field(default_factory=dict)
    facts: Mapping[str, str] = field(default_factory=lambda: dict(FACTS))
    urls: Mapping[str, bytes] = field(default_factory=dict)
    run: RunProgram = no_program
    exchanges: int = 0
    _runs: list[RunReply] = field(default_factory=list, init=False, repr=False)

    def __post_init__(self) -> None:
        for path in ("/", "/home", self.facts["home"]):
            self.nodes.setdefault(path, Node(Kind.DIRECTORY, 0o755))
        for path in list(self.nodes):
            self._make_above(path)

    # --- for tests: what is there -------------------------------------------------------------------------------------

    def put(self, path: str, content: bytes, mode: int = 0o644) -> None:
        """Have a file there, as if somebody had written it."""
        self.nodes[path] = Node(Kind.FILE, mode, content)
        self._make_above(path)

    def remove(self, path: str) -> None:
        """Have nothing there, nor below."""
        for known in [known for known in self.nodes if known == path or known.startswith(path + "/")]:
            del self.nodes[known]

    def _make_above(self, path: str) -> None:
        while (path := posixpath.dirname(path)) not in self.nodes:
            self.nodes[path] = Node(Kind.DIRECTORY, 0o755)

    # --- reading ------------------------------------------------------------------------------------------------------

    def entry(self, path: str) -> Entry:
        """What is at `path`; links on the way there are followed, one at its end is not."""
        node = self.nodes.get(self._located(path))
        return ABSENT if node is None else node.entry()

    def _located(self, path: str, *, follow: bool = False) -> str:
        done, rest, count = "/", [part for part in path.split("/") if part], 0
        while rest:
            done = posixpath.normpath(posixpath.join(done, rest.pop(0)))
            node = self.nodes.get(done)
            if node is not None and node.kind is Kind.LINK and (rest or follow):
                count += 1
                if count > _MOST_LINKS:
                    return "/\0/\0"  # a loop names nothing, and nothing can be made there
                whole = posixpath.join(posixpath.dirname(done), node.target, *rest)
                done, rest = "/", [part for part in whole.split("/") if part]
        return done

    def snapshot_for(self, needs: Needs) -> Snapshot:
        """What `needs` asks for, read at once."""
        snapshot = Snapshot()
        self.read(needs, snapshot)
        return snapshot

    def read(self, needs: Needs, snapshot: Snapshot) -> None:
        """Add what `needs` asks for to `snapshot`: one exchange."""
        self.exchanges += 1
        if needs.facts:
            snapshot.facts = Facts(dict(self.facts))
        for path in (*needs.entries, *needs.contents):
            snapshot.entries[path] = self.entry(path)
        for path in needs.contents:
            node = self.nodes.get(self._located(path))
            if node is not None and node.kind is Kind.FILE and node.readable:
                snapshot.contents[path] = node.content
        for pattern in needs.names:
            snapshot.names[pattern] = tuple(sorted(self._names(pattern)))
        for question in needs.inspections:
            snapshot.inspections[question] = answer(question, self.nodes)

    def _names(self, pattern: str) -> Iterable[str]:
        fixed = posixpath.dirname(pattern.partition("*")[0])
        real = self._located(fixed, follow=True)
        for path in self.nodes:
            shown = fixed.rstrip("/") + path[len(real.rstrip("/")) :] if path.startswith(real) else path
            if matches(shown, pattern):
                yield shown

    # --- acting -------------------------------------------------------------------------------------------------------

    def perform(self, actions: Sequence[Action]) -> Performed:
        """Perform a step's actions until one fails, as the runtime does."""
        self.nodes.setdefault(posixpath.join(self.facts["home"], ".provision"), Node(Kind.DIRECTORY, 0o700))
        self._runs = []
        try:
            for action in actions:
                for path, entry in _guards(action):
                    self._expect(path, entry)
                for pattern, names in action.names if isinstance(action, Recheck) else ():
                    self._expect_names(pattern, names)
                if isinstance(action, Recheck):
                    self._expect_told(action)
                self._do(action)
        except _StopError as stop:
            return Performed(stop.outcome, str(stop), tuple(self._runs))
        return Performed("done", "", tuple(self._runs))

    def _expect(self, path: str, seen: Entry) -> None:
        """The rule of `p_holds`: kinds always, the rest where the plan knew it."""
        now = self.entry(path)
        mode = None if seen.kind is Kind.LINK else seen.mode
        wanted = (seen.kind, mode, seen.digest, seen.target)
        found = (now.kind, now.mode, now.digest, now.target)
        if any(old is not None and new != old for new, old in zip(found, wanted, strict=True)):
            raise _StopError("stale", f"{path} is not what the plan saw: {now}, not {seen}")

    def _expect_told(self, check: Recheck) -> None:
        if any(answer(question, self.nodes) != told for question, told in check.inspections):
            raise _StopError("stale", "something is not as the plan saw it")

    def _expect_names(self, pattern: str, seen: tuple[str, ...]) -> None:
        if sorted(self._names(pattern)) != sorted(seen):
            raise _StopError("stale", "other files than the plan saw match a pattern")

    def _place(self, path: str, node: Node) -> None:
        real = self._located(path)
        above = self.nodes.get(posixpath.dirname(real))
        if above is None or above.kind is not Kind.DIRECTORY:
            raise _StopError("failed", f"cannot create a file in {posixpath.dirname(path)}")
        if real in self.nodes and self.nodes[real].kind is Kind.DIRECTORY:
            raise _StopError("failed", f"{path} is a directory")
        self.nodes[real] = node

    def _node(self, path: str, *, follow: bool = True) -> Node:
        node = self.nodes.get(self._located(path, follow=follow))
        if node is None:
            raise _StopError("failed", f"{path} is not there")
        return node

    @singledispatchmethod
    def _do(self, action: Action) -> None:
        raise _StopError("failed", f"{type(action).__name__} cannot be done in memory")

    @_do.register
    def _(self, _action: Recheck | Keep) -> None:
        return

    @_do.register
    def _(self, _action: Extract) -> None:
        raise _StopError("failed", "archives cannot be unpacked in memory")

    @_do.register
    def _(self, action: Mkdir) -> None:
        if self.entry(action.path).exists:
            raise _StopError("failed", f"cannot make directory {action.path}")
        self._place(action.path, Node(Kind.DIRECTORY, action.mode))

    @_do.register
    def _(self, action: WriteFile) -> None:
        if action.backup is not None:
            self._place(action.backup, self._node(action.path))
        if action.validate:
            argv = tuple(word.replace("%s", action.path) for word in action.validate)
            if self.run(Run(argv, stdin=action.content), self).status != 0:
                raise _StopError("failed", f"the new content of {action.path} was refused by: {' '.join(argv)}")
        self._place(action.path, Node(Kind.FILE, action.mode, action.content))

    @_do.register
    def _(self, action: CopyFile) -> None:
        source = self._node(action.source)
        if source.kind is not Kind.FILE:
            raise _StopError("failed", f"cannot copy {action.source} to {action.path}")
        self._place(action.path, Node(Kind.FILE, action.mode, source.content))

    @_do.register
    def _(self, action: SetMode) -> None:
        self.nodes[self._located(action.path, follow=True)] = replace(self._node(action.path), mode=action.mode)

    @_do.register
    def _(self, action: Link) -> None:
        self._place(action.path, Node(Kind.LINK, target=action.target))

    @_do.register
    def _(self, action: HardLink) -> None:
        self._place(action.path, self._node(action.source))

    @_do.register
    def _(self, action: Remove) -> None:
        now = self.entry(action.path)
        if (now.kind is Kind.DIRECTORY and not action.recursive) or (not now.exists and action.recursive):
            raise _StopError("failed", f"cannot remove {action.path}")
        self.remove(self._located(action.path))

    @_do.register
    def _(self, action: Touch) -> None:
        real = self._located(action.path, follow=True)
        if real not in self.nodes:
            self._place(real, Node(Kind.FILE, action.mode))
        self.nodes[real] = replace(self._node(action.path), mode=action.mode)

    @_do.register
    def _(self, action: Fetch) -> None:
        for url in action.urls:
            content = self.urls.get(url)
            if content is not None and action.sha256 in {None, hashlib.sha256(content).hexdigest()}:
                self._place(action.path, Node(Kind.FILE, action.mode, content))
                return
        raise _StopError("failed", f"cannot download {action.path}")

    @_do.register
    def _(self, action: Run) -> None:
        reply = self.run(action, self)
        self._runs.append(reply)
        if reply.status != 0 and action.fails_when_nonzero:
            raise _StopError("failed", f"it ended with status {reply.status}")
        for path in action.creates:
            if not self.entry(path).exists:
                raise _StopError("failed", f"it ended well, but {path} is not there")


def _guards(action: Action) -> tuple[tuple[str, Entry], ...]:
    if isinstance(action, Recheck):
        return action.entries
    if isinstance(action, Run | Extract) or action.expect is None:
        return ()
    return ((action.path, action.expect),)
