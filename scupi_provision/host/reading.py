"""Reading a host during planning: what was read, overlaid with what the plan will have done."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache, partial

from scupi_provision.host.facts import Facts
from scupi_provision.host.record import StepRecord, TaskFailedError
from scupi_provision.host.snapshot import Needs, NeedsReadingError, Snapshot
from scupi_provision.shell.entry import ABSENT, Entry, Kind
from scupi_provision.values import UnknownValueError

_MOST_LINKS = 40
"""Links followed before a path is taken to be a loop (as Linux's MAXSYMLINKS)."""
_SOMETHING = Entry(Kind.OTHER)
_OWN_ROOT = Entry(Kind.DIRECTORY, 0o700)
"""`~/.provision` as every program that we send leaves it before its first step, whether or not it was there."""


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
        self._replaced: set[str] = set()
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
        return _normalised(str.__str__(text), self.home)

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
        real = self._one_name(path)
        self.record.looked_at.setdefault(real, None)
        planned = self._overlaid(real)
        if planned is not None:
            self._saw(real, planned)
            if not self._is_of_this_step(real):
                self.record.reads[path] = planned
            return planned
        entry = self._snapshot.entries.get(path)
        if entry is None:
            # With what is above it: a link there gives the path another name.
            above = [folder for folder in ancestors(path) if folder not in self._snapshot.entries]
            raise NeedsReadingError(Needs(entries=dict.fromkeys([path, *above])))
        if not entry.exists and path == self._own_root():
            entry = _OWN_ROOT
        else:
            self.record.reads[path] = entry
        self._saw(real, entry)
        return entry

    def _saw(self, real: str, entry: Entry) -> None:
        """The step's first look counts: what it sees later may be its own doing."""
        if self.record.looked_at.get(real) is None:
            self.record.looked_at[real] = entry.exists

    def resolve(self, path: str) -> str:
        """`path` with a symbolic link at its end followed to what it names."""
        path = self.path(path)
        for _ in range(_MOST_LINKS):
            entry = self.entry(path)
            if entry.kind is not Kind.LINK:
                return path
            above = posixpath.dirname(self._through_planned_links(path))
            path = posixpath.normpath(posixpath.join(above, entry.target or ""))
        raise TaskFailedError(f"{path}: too many symbolic links")

    def content(self, path: str) -> bytes:
        """The bytes of the regular file at `path` (links at its end are not followed); b"" when it is absent."""
        path = self._through_planned_links(self.path(path))
        real = self._real(path)
        if real in self.record.contents:
            return self.record.contents[real]
        if self._overlaid(real) is not None:
            entry = self.entry(path)
            known = None if self._is_superseded(real) else self._contents.get(real)
            return self._content_of(path, entry) if known is None else known
        if path not in self._snapshot.entries:
            raise NeedsReadingError(Needs(entries={path: None}, contents={path: None}))
        entry = self.entry(path)
        if entry.kind is not Kind.FILE:
            return b""
        if entry.digest is None:
            raise TaskFailedError(f"{path} cannot be read by this account")
        if path not in self._snapshot.contents:
            raise NeedsReadingError(Needs(contents={path: None}))
        return self._snapshot.contents[path]

    def content_at_hand(self, path: str) -> bytes | None:
        """The bytes of the file at `path` when they are known without reading anything."""
        path = self._through_planned_links(self.path(path))
        real = self._real(path)
        if self._overlaid(real) is not None:
            return self.record.contents.get(real, None if self._is_superseded(real) else self._contents.get(real))
        return self._snapshot.contents.get(path)

    def _content_of(self, path: str, planned: Entry) -> bytes:
        """The content of a file that the plan makes without having it at hand (a copy, a download), by its hash."""
        if planned.kind is not Kind.FILE:
            return b""
        for source, entry in {**self._planned, **self.record.planned}.items():
            content = self.record.contents.get(source, self._contents.get(source))
            if content is not None and entry.digest == planned.digest:
                return content
        for source, entry in self._snapshot.entries.items():
            if entry.kind is Kind.FILE and entry.digest is not None and entry.digest == planned.digest:
                if source in self._snapshot.contents:
                    return self._snapshot.contents[source]
                raise NeedsReadingError(Needs(contents={source: None}))
        raise UnknownValueError(f"the content of {path}")

    def names(self, pattern: str) -> tuple[str, ...]:
        """Existing paths that match `pattern`, in which `*` stands for any part of one name; sorted.

        As in the shell, a `*` does not match a leading dot.
        """
        pattern = self._through_planned_links(self.path(pattern))
        base = posixpath.dirname(pattern[: pattern.index("*")]) if "*" in pattern else posixpath.dirname(pattern)
        real = self._real(pattern)
        self.record.searched.add(self._one_name(base))
        planned = {
            path for path, entry in {**self._planned, **self.record.planned}.items()
            if entry.exists and matches(path, real) and self._lookup(path) is entry
        }  # fmt: skip
        below = self._state_above(self._real(posixpath.join(base, "x")))
        if below is not None and not below.exists:
            return tuple(sorted(planned))
        found = self._snapshot.names.get(pattern)
        if found is None:
            raise NeedsReadingError(Needs(names={pattern: None}))
        kept = {path for path in found if (self._overlaid(self._real(path)) or _SOMETHING).exists}
        names = tuple(sorted(kept | (planned - {self._real(path) for path in kept})))
        if real == pattern and not self.record.planned:  # else the host would say other names than the plan
            self.record.names[pattern] = names
        return names

    def _lookup(self, path: str) -> Entry | None:
        entry = self.record.planned.get(path)
        return entry if entry is not None or self._is_superseded(path) else self._planned.get(path)

    def _is_superseded(self, path: str) -> bool:
        """Whether the step in hand removes or leaves to a program what earlier steps planned at `path`."""
        if not self.record.replaced and not self.record.opaque:  # nearly always, and this is asked all the time
            return False
        if any(path.startswith(above + "/") for above in self.record.replaced):
            return True
        return any(path.startswith(a + "/") and not self._is_kept_from(a, path) for a in self.record.opaque)

    def _is_of_this_step(self, path: str) -> bool:
        """Whether the step in hand itself decides what is at `path`."""
        while path not in self.record.planned:
            if path == "/":
                return False
            path = posixpath.dirname(path)
        return True

    def _own_root(self) -> str | None:
        facts = self._snapshot.facts
        return None if facts is None else posixpath.join(facts.home, ".provision")

    def _overlaid(self, path: str) -> Entry | None:
        entry = self._lookup(path)
        return entry if entry is not None else self._state_above(path)

    def _state_above(self, path: str) -> Entry | None:
        """ABSENT when the plan makes or removes a directory above `path`; raises when a program will write there."""
        if not self._planned and not self._opaque and not self.record.planned and not self.record.opaque:
            return None
        above = path
        while True:
            label = self.record.opaque.get(above) or self._opaque.get(above)
            if label is not None and not self._is_kept_from(above, path):
                raise UnknownValueError(f"what {label} makes of {above}")
            if above == "/":
                return None
            above = posixpath.dirname(above)
            entry = self._lookup(above)
            if entry is not None and (entry.kind is not Kind.DIRECTORY or self._is_new(above)):
                return self._absent_below(above, path)

    def _absent_below(self, above: str, path: str) -> Entry:
        """ABSENT, unless a program of this plan writes somewhere from `above` up to the root."""
        for opaque in (*self.record.opaque, *self._opaque):
            if (above == opaque or above.startswith(opaque + "/")) and not self._is_kept_from(opaque, path):
                raise UnknownValueError(f"what a program makes of {opaque}")
        return ABSENT

    def _is_kept_from(self, opaque: str, path: str) -> bool:
        """Whether `path` is below `~/.provision` and the program's subtree above it: no other program writes there."""
        root = self._own_root()
        return root is not None and root.startswith(opaque + "/") and (path + "/").startswith(root + "/")

    def _is_new(self, path: str) -> bool:
        if path in self._replaced or path in self.record.replaced:
            return True
        before = self._snapshot.entries.get(path)
        return before is not None and before.kind is not Kind.DIRECTORY

    def _through_planned_links(self, path: str) -> str:
        """`path` with the links that this plan makes (not those on the host) replaced in its leading parts."""
        return self._through_links(path, self._lookup) if self._planned or self.record.planned else path

    def _real(self, path: str) -> str:
        """The one name of `path` in the overlay, as `_one_name`; any name will do while the overlay is empty."""
        if not self._planned and not self.record.planned and not self._opaque and not self.record.opaque:
            return path
        return self._one_name(path)

    def _one_name(self, path: str) -> str:
        """`path` with the links of the plan, and those on the host as far as they are known, replaced."""
        return self._through_links(path, lambda above: self._lookup(above) or self._snapshot.entries.get(above))

    @staticmethod
    def _through_links(path: str, look: Callable[[str], Entry | None]) -> str:
        for _ in range(_MOST_LINKS):
            parts = path.split("/")
            for count in range(2, len(parts)):
                above = "/".join(parts[:count])
                entry = look(above)
                if entry is not None and entry.kind is Kind.LINK:
                    target = posixpath.join(posixpath.dirname(above), entry.target or "")
                    path = posixpath.normpath(posixpath.join(target, *parts[count:]))
                    break
            else:
                return path
        raise TaskFailedError(f"{path}: too many symbolic links")


@lru_cache(maxsize=16384)
def _normalised(text: str, home: str) -> str:
    """`text` as `path` of the view has it. A plan asks for the same few paths again and again."""
    if text in {"~", "$HOME"}:
        return home
    for prefix in ("~/", "$HOME/", "${HOME}/"):
        if text.startswith(prefix):
            text = posixpath.join(home, text[len(prefix) :])
            break
    else:
        if text.startswith("~"):
            raise TaskFailedError(f"{text}: the home of another account is not ours to touch")
    absolute = text if text.startswith("/") else posixpath.join(home, text)
    return "/" + posixpath.normpath(absolute).lstrip("/")


@lru_cache(maxsize=1024)
def _name_pattern(text: str) -> re.Pattern[str]:
    return re.compile(".*".join(map(re.escape, text.split("*"))), re.DOTALL)


def matches(path: str, pattern: str) -> bool:
    """Whether a shell would find `path` by `pattern`, in which `*` is the only wildcard."""
    parts, wanted = path.split("/"), pattern.split("/")
    return len(parts) == len(wanted) and all(
        _name_pattern(want).fullmatch(part) and not (part.startswith(".") and want.startswith("*"))
        for part, want in zip(parts, wanted, strict=True)
    )


def ancestors(path: str) -> Iterator[str]:
    """The directories above an absolute path, nearest first, without the root."""
    while (path := posixpath.dirname(path)) != "/":
        yield path
