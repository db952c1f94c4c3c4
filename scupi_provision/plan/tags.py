"""Which tasks a run is about: `--tags` and `--skip-tags` with Ansible's special tags."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class TagSelection:
    """`only` is empty when every task is wanted."""

    only: frozenset[str] = frozenset()
    skip: frozenset[str] = frozenset()

    def selects(self, tags: Sequence[str]) -> bool:
        """Whether a task with these tags takes part."""
        has = set(tags)
        wanted = self.only or {"all"}
        chosen = bool(has & wanted) or "always" in has
        if "all" in wanted and "never" not in has:
            chosen = True
        if ("tagged" in wanted and has and "never" not in has) or ("untagged" in wanted and not has):
            chosen = True
        skipped = bool(has & self.skip) or ("all" in self.skip and "always" not in has)
        skipped = skipped or ("tagged" in self.skip and bool(has)) or ("untagged" in self.skip and not has)
        return chosen and not skipped
