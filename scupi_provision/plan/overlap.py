"""Which programs may run beside the steps that follow them: those that neither touch nor need what those steps do.

The order of a play means what it means in Ansible; it is only not waited for where nobody could tell the difference.
What a step looks at was recorded while it was planned, what it changes is declared by its actions, both by the one name
that a path has after links.
"""

from __future__ import annotations

from collections.abc import Iterable

from scupi_provision.events import Outcome
from scupi_provision.plan.models import SWITCH_KEY, Judgement, Step
from scupi_provision.shell.actions import Run

MOST_ASIDE = 2
"""Programs that run beside the one in hand: builds use all processors of a login node that others use as well."""


def may_run_aside(step: Step) -> bool:
    """Whether the step ends with a long program that says what it writes, and is judged by its exit status alone.

    A step whose failure the play itself answers (`rescue`, `ignore_errors`, `until`, `failed_when`) is waited for.
    """
    if not step.actions or step.record is None:
        return False
    *before, last = step.actions
    if not isinstance(last, Run) or any(isinstance(action, Run) and action.writes != () for action in before):
        return False  # one that writes nothing only looks, and ends before the last begins
    answered = step.is_rescued or step.ignore_errors or step.patience or step.judgement != Judgement()
    declared = (
        last.asynchronous is None
        and last.durable_key is not None
        and last.writes is not None
        and last.fails_when_nonzero
    )
    return declared and not answered


def must_wait(step: Step, running: Step) -> bool:
    """Whether `step` has to wait for the end of `running`, a step of which `may_run_aside` holds."""
    if step.key == SWITCH_KEY or running.record is None:
        return True
    if step.record is None:  # failed, known later, only simulated, or skipped: the last has seen nothing of the host
        return step.outcome is not Outcome.SKIPPED or bool(step.reads or step.names)
    if any(isinstance(action, Run) and action.writes is None for action in step.actions):
        return True
    mine, theirs = step.record, running.record
    written = theirs.opaque  # what the rest of its actions change is changed before its program begins
    return (
        _meet(mine.changes, written)
        or _meet(mine.searched, written)
        or _meet(mine.changes, theirs.searched)
        or any(_is_seen(path, written, there=there) for path, there in mine.looked_at.items())
        or any(_lies_in(path, root) for path in theirs.looked_at for root in mine.changes)
    )


def _meet(some: Iterable[str], others: Iterable[str]) -> bool:
    """Whether a path of one lies at, below or above a path of the other."""
    others = tuple(others)
    return any(_lies_in(a, b) or _lies_in(b, a) for a in some for b in others)


def _is_seen(path: str, written: Iterable[str], *, there: bool | None) -> bool:
    """Whether who looks at `path` would see what a program writes.

    What is written below a directory is not seen by who looks at the directory itself, unless the directory was not
    there: the program may make it on its way.
    """
    return any(_lies_in(path, root) or (there is False and _lies_in(root, path)) for root in written)


def _lies_in(path: str, root: str) -> bool:
    return path == root or path.startswith(root.rstrip("/") + "/")
