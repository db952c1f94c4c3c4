"""What a rule says, and how a line of the source waives it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from scupi_provision.errors import Diagnostic

_WAIVER = re.compile(r"#\s*lint:\s*ignore\s+(?P<rules>[a-z, -]+)")


@dataclass(frozen=True)
class Finding:
    """One remark: the rule's name, and what it says where."""

    rule: str
    diagnostic: Diagnostic

    @property
    def is_waived(self) -> bool:
        """Whether `# lint: ignore RULE` stands on the line, or on the line above it."""
        where = self.diagnostic.where
        if where is None:
            return False
        lines = _lines(where.file)[max(where.line - 2, 0) : where.line]
        return any(self.rule in re.split(r"[ ,]+", found["rules"]) for found in map(_WAIVER.search, lines) if found)


@dataclass(frozen=True)
class Rule:
    """One rule.

    Attributes:
        name: What a waiver calls it.
        why: What is gained by heeding it, in a sentence.
        look: Yields what it says of a subject (a task, or a play with everything in it).
    """

    name: str
    why: str
    look: Callable[..., Iterator[Diagnostic]]


@lru_cache(maxsize=64)
def _lines(file: str) -> list[str]:
    try:
        return Path(file).read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
