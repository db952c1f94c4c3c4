"""Reading a host during planning: what was read, overlaid with what the plan will have done."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterable
from fnmatch import fnmatchcase
from functools import partial

from scupi_provision.host.facts import Facts
from scupi_provision.host.record import StepRecord, TaskFailedError
from scupi_provision.host.snapshot import Needs, NeedsReadingError, Snapshot
from scupi_provision.shell.entry import ABSENT, Entry, Kind
from scupi_provision.values import UnknownValueError

_MOST_LINKS = 40
"""Links followed before a path is taken to be a loop (as Linux's MAXSYMLINKS)."""
_SOMETHING = Entry(Kind.OTHER)


class ReadableHost:
    """The reading half of `HostView`.

    Attributes:
        record: What the step in hand has done and looked at so far.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._planned: dict[str, Entry] = {}
        self._contents: dict[str, bytes] = {}
        self._opaque: dict[str, str] = {}
        self._emptied: set[str] = set()
        self.record = StepRecord("")

    @property
    def facts(self) -> Facts:
        """The host's facts."""
        if self._snapshot.facts is None:
            raise NeedsReadingError(Needs(facts=True))
        return self._snapshot.facts

    @property
    def home(self) -> str:
        """The account's home directory."""
        return self.facts.home

    def path(self, text: str) -> str:
        """`text` as an absolute, normalised path: `~`, `~/…` and `$HOME/…` expanded, relative paths below the home."""
        if text in {"~", "$HOME"}:
            return self.home
        for prefix in ("~/", "$HOME/", "${HOME}/"):
            if text.startswith(prefix):
                text = posixpath.join(self.home, text[len(prefix) :])
                break
        else:
            if text.startswith("~"):
                raise TaskFailedError(f"{text}: the home of another account is not ours to touch")
        absolute = text if text.startswith("/") else posixpath.join(self.home, text)
        return "/" + posixpath.normpath(absolute).lstrip("/")

    def want(self, *, entries: Iterable[str] = (), contents: Iterable[str] = (), names: Iterable[str] = ()) -> None:
        """Say at once what will be looked at, so that it is read in one exchange and not one after another."""
        needs = Needs()
        for path in map(self.path, entries):
            self._collect(needs, partial(self.entry, path))
        for path in map(self.path, contents):
            self._collect(needs, partial(self.content, path))
        for pattern in names:
            self._collect(needs, partial(self.names, pattern))
        if needs:
            raise NeedsReadingError(needs)

    @staticmethod
    def _collect(needs: Needs, look: Callable[[], object]) -> None:
        try:
            look()
        except NeedsReadingError as missing:
            needs.add(missing.needs)
        except (UnknownValueError, TaskFailedError):
            return  # met again, and reported, when the module really looks

    def entry(self, path: str, *, follow: bool = False) -> Entry:
        """What is at `path`; with `follow`, what is at the end of its links (a dangling link gives absent)."""
        path = self.path(path)
        if follow:
            return self.entry(self.resolve(path))
        path = self._through_planned_links(path)
        planned = self._overlaid(path)
        if planned is not None:
            return planned
        entry = self._snapshot.entries.get(path)
        if entry is None:
            raise NeedsReadingError(Needs(entries={path: None}))
        self.record.reads[path] = entry
        return entry

    def resolve(self, path: str) -> str:
        """`path` with a symbolic link at its end followed to what it names."""
        path = self._through_planned_links(self.path(path))
        for _ in range(_MOST_LINKS):
            entry = self.entry(path)
            if entry.kind is not Kind.LINK:
                return path
            path = self._through_planned_links(
                posixpath.normpath(posixpath.join(posixpath.dirname(path), entry.target or ""))
            )
        raise TaskFailedError(f"{path}: too many symbolic links")

    def content(self, path: str) -> bytes:
        """The bytes of the regular file at `path` (links at its end are not followed); b"" when it is absent."""
        path = self._through_planned_links(self.path(path))
        known = self.record.contents.get(path, self._contents.get(path))
        if known is not None:
            return known
        planned = self._overlaid(path)
        if planned is not None and planned.exists and planned.kind is Kind.FILE and path not in self._snapshot.contents:
            if planned.digest is None:
                raise UnknownValueError(f"the content of {path}")
            raise NeedsReadingError(Needs(contents={path: None}))
        if planned is None and path not in self._snapshot.entries:
            raise NeedsReadingError(Needs(entries={path: None}, contents={path: None}))
        entry = self.entry(path)
        if entry.kind is not Kind.FILE:
            return b""
        if entry.digest is None:
            raise TaskFailedError(f"{path} cannot be read by this account")
        if path not in self._snapshot.contents:
            raise NeedsReadingError(Needs(contents={path: None}))
        return self._snapshot.contents[path]

    def names(self, pattern: str) -> tuple[str, ...]:
        """Existing paths that match `pattern`, in which `*` stands for any part of one name; sorted.

        As in the shell, a `*` does not match a leading dot.
        """
        pattern = self._through_planned_links(self.path(pattern))
        base = posixpath.dirname(pattern[: pattern.index("*")]) if "*" in pattern else posixpath.dirname(pattern)
        planned = {
            path for path, entry in {**self._planned, **self.record.planned}.items()
            if entry.exists and _matches(path, pattern)
        }  # fmt: skip
        below = self._state_above(posixpath.join(base, "x"))
        if below is not None and not below.exists:
            return tuple(sorted(planned))
        found = self._snapshot.names.get(pattern)
        if found is None:
            raise NeedsReadingError(Needs(names={pattern: None}))
        kept = {path for path in found if (self._overlaid(path) or _SOMETHING).exists}
        return tuple(sorted(kept | planned))

    def _lookup(self, path: str) -> Entry | None:
        entry = self.record.planned.get(path)
        return entry if entry is not None else self._planned.get(path)

    def _overlaid(self, path: str) -> Entry | None:
        entry = self._lookup(path)
        return entry if entry is not None else self._state_above(path)

    def _state_above(self, path: str) -> Entry | None:
        """ABSENT when the plan makes or removes a directory above `path`; raises when a program will write there."""
        if not self._planned and not self._opaque and not self.record.planned and not self.record.opaque:
            return None
        above = path
        while True:
            for opaque in (self.record.opaque, self._opaque):
                if above in opaque:
                    raise UnknownValueError(f"what {opaque[above]} makes of {above}")
            if above == "/":
                return None
            above = posixpath.dirname(above)
            entry = self._lookup(above)
            if entry is not None and (entry.kind is not Kind.DIRECTORY or self._is_new(above)):
                opaque_below = any(path.startswith(p + "/") or path == p for p in (*self._opaque, *self.record.opaque))
                if not opaque_below:
                    return ABSENT

    def _is_new(self, path: str) -> bool:
        if path in self._emptied:
            return True
        before = self._snapshot.entries.get(path)
        return before is not None and before.kind is not Kind.DIRECTORY

    def _through_planned_links(self, path: str) -> str:
        """`path` with the links that this plan makes (not those on the host) replaced in its leading parts."""
        if not self._planned and not self.record.planned:
            return path
        for _ in range(_MOST_LINKS):
            parts = path.split("/")
            for count in range(2, len(parts)):
                above = "/".join(parts[:count])
                entry = self._lookup(above)
                if entry is not None and entry.kind is Kind.LINK:
                    target = posixpath.join(posixpath.dirname(above), entry.target or "")
                    path = posixpath.normpath(posixpath.join(target, *parts[count:]))
                    break
            else:
                return path
        raise TaskFailedError(f"{path}: too many symbolic links")


def _matches(path: str, pattern: str) -> bool:
    parts, wanted = path.split("/"), pattern.split("/")
    return len(parts) == len(wanted) and all(
        fnmatchcase(part, want) and not (part.startswith(".") and want.startswith("*"))
        for part, want in zip(parts, wanted, strict=True)
    )
