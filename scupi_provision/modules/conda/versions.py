"""The order of conda's versions (CEP 33, which is what conda's VersionOrder does). It is not that of PEP 440."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache, total_ordering
from itertools import zip_longest
from typing import Any

_ALLOWED = re.compile(r"[*.+!_0-9a-z]+")
_RUNS = re.compile(r"[0-9]+|[*]+|[^0-9*]+")

Run = tuple[int, int, str]
"""A run of digits or of other characters, made comparable: text before numbers, `dev` before all text, `post` last."""
_ZERO: Run = (1, 0, "")
"""What is taken for a run that the other version has: 1.1 equals 1.1.0."""
Part = tuple[Run, ...]


@total_ordering
@dataclass(frozen=True, eq=False)
class CondaVersion:
    """One version.

    Attributes:
        main: Epoch and version, cut at dots and underscores, each part cut into runs.
        local: What stands behind `+`; it decides only between versions that are equal before it.
    """

    main: tuple[Part, ...]
    local: tuple[Part, ...] = ()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, CondaVersion) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def __lt__(self, other: CondaVersion) -> bool:
        for mine, theirs in ((self.main, other.main), (self.local, other.local)):
            for own, others in zip_longest(mine, theirs, fillvalue=()):
                for one, two in zip_longest(own, others, fillvalue=_ZERO):
                    if one != two:
                        return one < two
        return False

    def _key(self) -> tuple[Any, ...]:
        return _trimmed(self.main), _trimmed(self.local)

    def starts_with(self, other: CondaVersion) -> bool:
        """Whether it is `other` or a version below it: 1.2.3 begins with 1.2, and 1.20 does not."""
        if other.local:
            return _trimmed(self.main) == _trimmed(other.main) and _begins(self.local, other.local)
        return _begins(self.main, other.main)


def _trimmed(parts: tuple[Part, ...]) -> tuple[Part, ...]:
    """Without the zeros that make no difference: equal versions have one key."""
    kept = [_without_zeros(part) for part in parts]
    while kept and not kept[-1]:
        kept.pop()
    return tuple(kept)


def _without_zeros(part: Part) -> Part:
    count = len(part)
    while count and part[count - 1] == _ZERO:
        count -= 1
    return part[:count]


def _begins(parts: tuple[Part, ...], with_parts: tuple[Part, ...]) -> bool:
    count = len(with_parts) - 1
    if _trimmed(parts[:count]) != _trimmed(with_parts[:count]):
        return False
    mine, theirs = parts[count] if len(parts) > count else (), with_parts[count]
    runs = len(theirs) - 1
    if _without_zeros(mine[:runs]) != _without_zeros(theirs[:runs]):
        return False
    own, wanted = mine[runs] if len(mine) > runs else _ZERO, theirs[runs]
    is_text = wanted[0] == 0
    return own[0] == 0 and own[2].startswith(wanted[2]) if is_text else own == wanted


@lru_cache(maxsize=4096)
def parse_version(text: str) -> CondaVersion:
    """The version that `text` writes.

    Raises:
        ValueError: It is none by conda's rules.
    """
    version = text.strip().lower()
    if "_" not in version:
        version = version.replace("-", "_")
    if not _ALLOWED.fullmatch(version):
        raise ValueError(f"{text!r} is not a version that conda knows")
    epoch, separator, rest = version.rpartition("!")
    if separator and not epoch.isdecimal():
        raise ValueError(f"{text!r}: what stands before `!` must be a number")
    main, plus, local = rest.partition("+")
    if (plus and not local) or "+" in local:
        raise ValueError(f"{text!r}: one local part may follow `+`")
    return CondaVersion((_part(epoch or "0", text), *_parts(main, text)), _parts(local, text) if local else ())


def _parts(version: str, text: str) -> tuple[Part, ...]:
    # An underscore at the end belongs to the version (openssl 1.0.1_); elsewhere it separates like a dot.
    body, tail = (version[:-1], "_") if version.endswith("_") else (version, "")
    pieces = body.replace("_", ".").split(".")
    pieces[-1] += tail
    return tuple(_part(piece, text) for piece in pieces)


def _part(piece: str, text: str) -> Part:
    runs = tuple(map(_run, _RUNS.findall(piece)))
    if not runs:
        raise ValueError(f"{text!r} has an empty part")
    return runs if piece[0].isdecimal() else (_ZERO, *runs)  # numbers are compared with numbers: 1.a is 1.0a


def _run(run: str) -> Run:
    if run.isdecimal():
        return (1, int(run), "")
    if run == "post":
        return (2, 0, "")
    return (0, 0, "DEV" if run == "dev" else run)  # capitals come before every other letter
