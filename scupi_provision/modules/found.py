"""What `find` takes of everything that there is."""

from __future__ import annotations

import fnmatch
import io
import re
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from scupi_provision.shell.details import Details

if TYPE_CHECKING:
    from scupi_provision.modules.find_ import Args

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_BYTES = {"b": 1, "k": 1024, "m": 1024**2, "g": 1024**3, "t": 1024**4}
_KINDS = {"directory": "isdir", "file": "isreg", "link": "islnk"}


def seconds(text: str) -> int:
    """An age such as `2d`. Raises ValueError when it is none."""
    return _number(text, _SECONDS, "age")


def size_in_bytes(text: str) -> int:
    """A size such as `10k`. Raises ValueError when it is none."""
    return _number(text, _BYTES, "size")


def _number(text: str, units: Mapping[str, int], what: str) -> int:
    found = re.fullmatch(rf"(-?\d+)([{''.join(units)}])?", text.lower())
    if not found:
        raise ValueError(f"{text!r} is no {what}; write a number and one of {', '.join(units)}")
    return int(found[1]) * units.get(found[2], 1)


def walk(tree: Mapping[str, Details]) -> Iterator[tuple[str, Details]]:
    """Everything, shallow folders first, in each first what is no folder."""
    yield from sorted(tree.items(), key=lambda item: (item[0].count("/"), item[1].has_kind("isdir"), item[0]))


def is_walked(depth: int | None, name: str, *, hidden: bool) -> bool:
    """Whether the walk takes notice of it."""
    if depth and name.count("/") + 1 > depth:
        return False
    return hidden or not name.rpartition("/")[2].startswith(".")


def holds(args: Args, expression: re.Pattern[str], content: bytes) -> bool:
    """Whether the file's text is as `contains` says; what is no text in this encoding is not."""
    try:
        text = content.decode(args.encoding or "utf-8")
    except (UnicodeDecodeError, LookupError):
        return False
    if args.read_whole_file:
        return expression.search(text) is not None
    return any(expression.match(line) for line in io.StringIO(text))


@dataclass(frozen=True)
class Filter:
    """Names, kinds, times and sizes that are wanted."""

    args: Args
    now: float

    @classmethod
    def of(cls, args: Args, now: str) -> Filter:
        """The filter of a task; `now` is the host's clock, as its facts tell it."""
        return cls(args, datetime.fromisoformat(now.replace("Z", "+00:00")).timestamp())

    def takes(self, path: str, details: Details) -> bool:
        """Whether it is one of those that are looked for, as far as its content is not asked."""
        kind = self.args.file_type
        if kind != "any" and not details.has_kind(_KINDS[kind]):
            return False
        return (
            self._by_name(path.rpartition("/")[2])
            and self._by_age(details)
            and (not details.has_kind("isreg") or self._by_size(details.size))
            and self._by_mode(details.bits)
        )

    def _by_name(self, name: str) -> bool:
        def matches(pattern: str) -> bool:
            if self.args.use_regex:
                return re.match(pattern, name) is not None
            return fnmatch.fnmatchcase(name, pattern)

        wanted = not self.args.patterns or any(map(matches, self.args.patterns))
        return wanted and not any(map(matches, self.args.excludes))

    def _by_age(self, details: Details) -> bool:
        if self.args.age is None:
            return True
        age = seconds(self.args.age)
        stamps = {"atime": details.accessed, "ctime": details.changed, "mtime": details.modified}
        old = self.now - stamps[self.args.age_stamp]
        return old >= age if age >= 0 else old <= -age

    def _by_size(self, size: int) -> bool:
        if self.args.size is None:
            return True
        wanted = size_in_bytes(self.args.size)
        return size >= wanted if wanted >= 0 else size <= -wanted

    def _by_mode(self, bits: int) -> bool:
        if self.args.mode is None:
            return True
        has = stat.S_IMODE(bits)
        wanted = self.args.mode.resolve(has, is_directory=stat.S_ISDIR(bits))
        return has == wanted if self.args.exact_mode else bool(has & wanted)
