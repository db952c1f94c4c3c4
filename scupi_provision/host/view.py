"""The host as a module sees it: what was read, overlaid with what earlier tasks of the plan will have done.

Everything that a module does here is recorded as actions with guards; nothing happens on any host. A module runs inside
a transaction: when it turns out that something has to be read first, its half-recorded effects are dropped.
"""

from __future__ import annotations

import hashlib
import posixpath
from collections.abc import Iterable, Sequence
from dataclasses import replace

from scupi_provision.events import Diff
from scupi_provision.host.inspecting import InspectingHost
from scupi_provision.host.lock import Declared, Download, HostLock
from scupi_provision.host.reading import ancestors
from scupi_provision.host.record import StepRecord, TaskFailedError, forget_below
from scupi_provision.host.snapshot import Snapshot
from scupi_provision.shell.actions import (
    CopyFile,
    Extract,
    Fetch,
    HardLink,
    Keep,
    Link,
    Mkdir,
    Remove,
    Run,
    SetMode,
    Touch,
    WriteFile,
)
from scupi_provision.shell.entry import ABSENT, Entry, Kind
from scupi_provision.values import FileMode, UnknownValueError


class HostView(InspectingHost):
    """One host during planning.

    Attributes:
        verbosity: How many `-v` were given.
        check_mode: Whether this plan is only to be shown (`ansible_check_mode`).
        keep_contents: Whether contents of files about to be replaced are wanted for diffs.
        fetch_via: Who downloads, as `shell.actions.Fetch` has it.
        lock: What the host shall get, exactly; None when tasks choose for themselves.
        declared: What the steps of this plan so far rest on.
        generation: The `host.generation.Generation` that this plan is making, or None so far.
    """

    def __init__(
        self,
        snapshot: Snapshot,
        *,
        check_mode: bool = False,
        keep_contents: bool = False,
        verbosity: int = 0,
        fetch_via: str = "host",
        lock: HostLock | None = None,
    ) -> None:
        super().__init__(snapshot)
        self.fetch_via = fetch_via
        self.lock = lock
        self.declared: list[object] = []
        self.check_mode = check_mode
        self.verbosity = verbosity
        self.keep_contents = keep_contents
        self.generation: object = None

    def seen_by(self, other: Snapshot) -> HostView:
        """The same files as this plan leaves them, seen by another machine that shares them, of which `other` tells."""
        view = HostView(other, check_mode=self.check_mode, verbosity=self.verbosity)
        view._planned, view._contents = dict(self._planned), dict(self._contents)
        view._opaque, view._replaced = dict(self._opaque), set(self._replaced)
        return view

    # --- steps ----------------------------------------------------------------------------------------------------

    def begin(self, label: str) -> None:
        """Start a step: effects go into a fresh record."""
        self.record = StepRecord(label)

    def commit(self) -> StepRecord:
        """Keep the step's effects for the tasks that follow, and hand out its record."""
        record = self.record
        for path in (*record.replaced, *record.opaque):
            self._forget_below(path)
        self._replaced |= record.replaced
        for path, entry in record.planned.items():
            self._planned[path] = entry
            self._contents.pop(path, None)
        self._contents.update(record.contents)
        self._opaque.update(record.opaque)
        self.declared += record.declared
        self.generation = record.generation or self.generation
        self.record = StepRecord("")
        return record

    def rollback(self) -> None:
        """Drop the step's effects."""
        self.record = StepRecord("")

    def _forget_below(self, path: str) -> None:
        own = {known: entry for known, entry in self._planned.items() if self._is_kept_from(path, known)}
        kept = {known: content for known, content in self._contents.items() if known in own}
        forget_below(path, self._planned, self._contents)
        self._planned.update(own)
        self._contents.update(kept)

    def _plan(self, path: str, entry: Entry, content: bytes | None = None) -> None:
        self.record.plan(self._one_name(path), entry, content)

    def _planned_content(self, path: str) -> bytes | None:
        """What the plan has written at `path`, for a change that leaves the content as it is."""
        real = self._real(path)
        return self.record.contents.get(real, self._contents.get(real))

    def _leave_to(self, paths: Iterable[str]) -> None:
        """Note that a program of this step writes below these paths."""
        for path in paths:
            real = self._one_name(self.path(path))
            self.record.opaque[real] = self.record.label
            forget_below(real, self.record.planned, self.record.contents)

    def declare(self, what: Declared) -> None:
        """Say what the step rests on, for the lock: also when there is nothing to do.

        Raises:
            TaskFailedError: There is a lock, and this file is not in it.
        """
        if self.lock is not None and isinstance(what, Download):
            self.lock.require_download(what.sha256, what.urls[0])
        self.record.declared.append(what)

    # --- effects: each states what shall be, records what it takes, and says whether that is anything -----------

    def default_mode(self, *, directory: bool = False) -> int:
        """What a new file or directory gets when no mode was asked for."""
        return (0o777 if directory else 0o666) & ~self.facts.umask

    def _mode(self, mode: FileMode | int | None, now: Entry, *, directory: bool = False) -> int:
        current = now.mode if now.mode is not None else self.default_mode(directory=directory)
        if mode is None:
            return current
        return mode if isinstance(mode, int) else mode.resolve(current, is_directory=directory)

    def write(
        self,
        path: str,
        content: bytes,
        mode: FileMode | int | None = None,
        *,
        backup: str | None = None,
        validate: Sequence[str] = (),
        secret: bool = False,
    ) -> bool:
        """Make `path` a regular file with this content and mode (None keeps it). A link there is replaced."""
        path = self._through_planned_links(self.path(path))
        shown = self.keep_contents and not secret
        self.want(entries=[path, posixpath.dirname(path)])
        now = self.entry(path)
        if now.kind in {Kind.DIRECTORY, Kind.OTHER}:
            raise TaskFailedError(f"{path} is there and is not a regular file")
        bits = self._mode(mode, now)
        digest = hashlib.sha256(content).hexdigest()
        if now.kind is Kind.FILE and now.digest == digest:
            return self.set_mode(path, bits)
        if not now.exists:
            self._need_directory(path)
        diff = self._text_diff(path, now, content, shown=shown)
        action = WriteFile(path, content, bits, now, backup, tuple(validate), mode_asked=mode is not None)
        self.record.act(action, diff)
        if backup is not None and now.kind is Kind.FILE:
            self._plan(backup, now)
        self._plan(path, Entry(Kind.FILE, bits, len(content), digest), content)
        return True

    def _text_diff(self, path: str, now: Entry, content: bytes, *, shown: bool) -> Diff:
        verb = "change" if now.exists else "create"
        if not shown:
            return Diff(path, summary=f"{verb} {path}")
        before = self.content(path) if now.kind is Kind.FILE and now.digest else b""
        try:
            return Diff(path, before.decode() if now.exists else None, content.decode(), f"{verb} {path}")
        except UnicodeDecodeError:
            return Diff(path, summary=f"{verb} {path}")

    def _need_directory(self, path: str) -> None:
        above = posixpath.dirname(path)
        try:
            kind = self.entry(above, follow=True).kind
        except UnknownValueError:
            return  # a program of this plan makes it; the host will tell
        if kind is not Kind.DIRECTORY:
            raise TaskFailedError(f"{above} is not a directory; make it first (file: state: directory)")

    def copy(self, source: str, path: str, mode: FileMode | int | None = None) -> bool:
        """Make `path` a copy of the regular file `source` on the same host."""
        source, path = self.path(source), self._through_planned_links(self.path(path))
        self.want(entries=[source, path, posixpath.dirname(path)])
        wanted, now = self.entry(source, follow=True), self.entry(path)
        if wanted.kind is not Kind.FILE or wanted.digest is None:
            raise TaskFailedError(f"{source} is not a readable regular file")
        if now.kind in {Kind.DIRECTORY, Kind.OTHER}:
            raise TaskFailedError(f"{path} is there and is not a regular file")
        bits = self._mode(mode, now)
        if now.digest == wanted.digest and now.kind is Kind.FILE:
            return self.set_mode(path, bits)
        if not now.exists:
            self._need_directory(path)
        action = CopyFile(source, path, bits, now, mode_asked=mode is not None)
        self.record.act(action, Diff(path, summary=f"copy {source} to {path}"))
        self._plan(path, Entry(Kind.FILE, bits, wanted.size, wanted.digest))
        return True

    def mkdir(self, path: str, mode: FileMode | int | None = None, *, parents: bool = True) -> bool:
        """Make `path` a directory; directories above it are made with the default mode."""
        written = self.path(path)
        path = self._through_planned_links(written)
        if parents:
            self.want(entries=[path, *ancestors(path)])
        now = self.entry(path)
        if now.kind is Kind.LINK and self.entry(path, follow=True).kind is Kind.DIRECTORY:
            return False
        if now.kind is Kind.DIRECTORY:
            return self.set_mode(path, self._mode(mode, now, directory=True)) if mode is not None else False
        if now.exists:
            raise TaskFailedError(f"{path} is there and is not a directory")
        if parents and path != "/":
            self.mkdir(posixpath.dirname(written))  # a link that leads nowhere yet is no directory, as on the host
        bits = self._mode(mode, now, directory=True)
        action = Mkdir(path, bits, now, mode_asked=mode is not None)
        self.record.act(action, Diff(path, summary=f"create directory {path}"))
        self._plan(path, Entry(Kind.DIRECTORY, bits))
        return True

    def set_mode(self, path: str, mode: FileMode | int, *, seen: Entry | None = None) -> bool:
        """Give a file or directory this mode; `seen` is what is known of it already (of many files of a tree)."""
        path = self._through_planned_links(self.path(path))
        now = seen or self.entry(path)
        if now.kind in {Kind.ABSENT, Kind.LINK}:
            return False
        bits = self._mode(mode, now, directory=now.kind is Kind.DIRECTORY)
        if bits == now.mode:
            return False
        before = "unknown" if now.mode is None else f"{now.mode:04o}"
        summary = f"mode {before} -> {bits:04o} of {path}"
        self.record.act(SetMode(path, bits, now), Diff(path, summary=summary))
        self._plan(path, replace(now, mode=bits), self._planned_content(path))
        return True

    def link(self, path: str, target: str, *, force: bool = False) -> bool:
        """Make `path` a symbolic link to `target` (kept as written). A regular file is replaced only with `force`."""
        path = self._through_planned_links(self.path(path))
        self.want(entries=[path, posixpath.dirname(path)])
        now = self.entry(path)
        if now.kind is Kind.LINK and now.target == target:
            return False
        if posixpath.normpath(posixpath.join(posixpath.dirname(path), target)) == path:
            raise TaskFailedError(f"{path} would be a link to itself")
        if now.kind is Kind.DIRECTORY or (now.exists and now.kind is not Kind.LINK and not force):
            raise TaskFailedError(f"{path} is there and is not a link")
        if not now.exists:
            self._need_directory(path)
        summary = f"link {path} -> {target}" + (f" (was -> {now.target})" if now.target else "")
        self.record.act(Link(path, target, now), Diff(path, summary=summary))
        self._plan(path, Entry(Kind.LINK, target=target))
        return True

    def remove(self, path: str) -> bool:
        """Remove what is at `path`, a directory with everything in it."""
        path = self._through_planned_links(self.path(path))
        if path in {"/", self.home}:
            raise TaskFailedError(f"{path} will not be removed")
        now = self.entry(path)
        if not now.exists:
            return False
        directory = now.kind is Kind.DIRECTORY
        self.record.act(Remove(path, directory, now), Diff(path, summary=f"remove {path}"))
        self._plan(path, ABSENT)
        return True

    def hard_link(self, path: str, source: str) -> bool:
        """Make `path` another name of the regular file `source`, instead of what is there."""
        source, path = self.path(source), self._through_planned_links(self.path(path))
        self.want(entries=[source, path, posixpath.dirname(path)])
        now, named = self.entry(path), self.entry(source)
        if now.kind is Kind.DIRECTORY or named.kind is not Kind.FILE:
            raise TaskFailedError(f"{path} cannot be a hard link to {source}: only files can have several names")
        if not now.exists:
            self._need_directory(path)
        self.record.act(HardLink(path, source, now), Diff(path, summary=f"hard link {path} to {source}"))
        self._plan(path, named, self._planned_content(source))
        return True

    def touch(
        self, path: str, mode: FileMode | int | None = None, *, accessed: str = "now", modified: str = "now"
    ) -> bool:
        """Set the file's times, as `shell.actions.Touch` has them, creating it when absent; always a change."""
        path = self._through_planned_links(self.path(path))
        self.want(entries=[path, posixpath.dirname(path)])
        now = self.entry(path)
        if not now.exists:
            self._need_directory(path)
        bits = self._mode(mode, now, directory=now.kind is Kind.DIRECTORY)
        self.record.act(Touch(path, bits, now, accessed, modified), Diff(path, summary=f"touch {path}"))
        if now.exists:
            self._plan(path, replace(now, mode=bits), self._planned_content(path))
        else:
            self._plan(path, Entry(Kind.FILE, bits, 0, hashlib.sha256(b"").hexdigest()), b"")
        return True

    def fetch(
        self, urls: Sequence[str], path: str, sha256: str | None, mode: FileMode | int | None = None,
        *, timeout_s: int = 3600,
    ) -> bool:  # fmt: skip
        """Download to `path`. With a hash, a file that has it already is left alone; without, it is always fetched."""
        path = self._through_planned_links(self.path(path))
        self.want(entries=[path, posixpath.dirname(path)])
        if sha256 is not None:
            self.declare(Download(tuple(urls), sha256))
        elif self.lock is not None:
            self.lock.require_download(None, urls[0])
        now = self.entry(path)
        bits = self._mode(mode, now)
        if sha256 is not None and now.kind is Kind.FILE and now.digest == sha256:
            return self.set_mode(path, bits)
        if not now.exists:
            self._need_directory(path)
        via = "host" if all(url.startswith("file:") for url in urls) else self.fetch_via  # the host's own files
        action = Fetch(tuple(urls), path, bits, sha256, timeout_s, now, via, mode_asked=mode is not None)
        self.record.act(action, Diff(path, summary=f"download {urls[0]} to {path}"))
        self._plan(path, Entry(Kind.FILE, bits, None, sha256))
        return True

    def extract(
        self,
        archive: str,
        directory: str,
        *,
        strip: int = 0,
        empty_first: bool = False,
        options: Sequence[str] = (),
        members: Sequence[str] = (),
    ) -> None:
        """Unpack an archive into `directory`, which the plan cannot look into afterwards."""
        archive, directory = self.path(archive), self._through_planned_links(self.path(directory))
        now = self.entry(directory)
        diff = Diff(directory, summary=f"unpack {archive} into {directory}")
        self.record.act(Extract(archive, directory, strip, empty_first, tuple(options), tuple(members)), diff)
        if now.kind is not Kind.DIRECTORY or empty_first:
            self._plan(directory, Entry(Kind.DIRECTORY, self.default_mode(directory=True)))
        self._leave_to([directory])

    def keep(self, path: str, target: str, within: str, mode: int = 0o600) -> None:
        """Have the controller keep the file at `path` as its own `target`, which lies below its folder `within`."""
        now = self.entry(path)
        action = Keep(self.path(path), target, within, self.content(path), mode, now)
        self.record.act(action, Diff(target, summary=f"keep {path} here as {target}"))

    def run(self, action: Run, summary: str) -> None:
        """Run a program. What it writes (`action.writes`) is not known to the tasks that follow until it has run."""
        self.record.act(action, Diff(action.cwd or "", summary=summary))
        self.record.searched.update(self._one_name(self.path(path)) for path in action.uses)
        self._leave_to(action.writes or ())
        for root in action.writes or ():
            if any(path.startswith(root + "/") for path in action.creates):
                self._plan(self._through_planned_links(root), Entry(Kind.DIRECTORY))
