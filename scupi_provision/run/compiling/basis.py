"""What a script rests on: looked at again by the script before it changes anything."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from scupi_provision.host.reading import matches
from scupi_provision.host.snapshot import Snapshot
from scupi_provision.plan.models import Plan, Step
from scupi_provision.run.compiling.chains import Chains
from scupi_provision.run.compiling.steps import asks_itself
from scupi_provision.run.compiling.unseen import UnseenHome
from scupi_provision.shell.words import glob_word, word


def state_checks(plan: Plan, snapshot: Snapshot, home: UnseenHome | None) -> list[str]:
    """One command for each path, or pattern, that the plan looked at: it is as it was, or as the script leaves it."""
    chains = Chains(plan.steps)
    theirs = home.theirs if home else frozenset()
    resting = [step for step in plan.steps if not asks_itself(step)]
    seen = {path for step in resting for path in step.reads if path not in theirs and path in snapshot.entries}
    paths = (chains.rest(path, snapshot.entries[path]) for path in sorted(seen))
    return [*filter(None, paths), *_patterns(resting, snapshot, chains)]


def _patterns(steps: Sequence[Step], snapshot: Snapshot, chains: Chains) -> Iterator[str]:
    for pattern in sorted({pattern for step in steps for pattern in step.names}):
        base = pattern[: pattern.index("*")] if "*" in pattern else pattern
        if pattern not in snapshot.names or chains.touches(base.rstrip("/")):
            continue
        allowed = [*snapshot.names[pattern], *(path for path in chains.planned() if matches(path, pattern))]
        yield f"s_only {''.join(f'{word(path)} ' for path in dict.fromkeys(allowed))}-- {glob_word(pattern)}"
