"""What of a plan no script can do by itself: told by name, with the reason, before anything is written."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from scupi_provision.errors import Diagnostic, Position
from scupi_provision.events import Outcome
from scupi_provision.masking import mask
from scupi_provision.plan.models import Step
from scupi_provision.plan.secrecy import holds_a_secret
from scupi_provision.playbook.models import Block, Item, Play, Task
from scupi_provision.run.compiling.assumed import VARIABLE
from scupi_provision.shell.actions import Action, Run
from scupi_provision.source import diagnostic
from scupi_provision.values import UnknownValueError

LOOK = "let the account be looked at first: provision compile --look-script (docs/webshell.md)"
_ONLY_A_LOOK = ", which only a look can tell"
_JUDGED = "is judged by provision, which a script does without"
_CHANGES = re.compile(r"\.changed\b|\bis\s+(?:not\s+)?changed\b")
_PASSWORD = re.compile(r"[a-z]+://[^/\s:@]+:[^/\s@]+@")


def refusals(step: Step, play: Play, *, with_secrets: bool) -> Iterator[Diagnostic]:
    """Why this step of `play` cannot be compiled; nothing when it can."""
    reason, hint = _reason(step, with_secrets=with_secrets)
    if not reason and step.actions and step.label.where in asking_for_changes(play.tasks):
        reason = "its `when` asks whether another task has changed something, which is another answer in every run"
        hint = "make it a handler, and notify it"
    if reason:
        yield diagnostic(f"{step.label}: {reason}", step.label.where, hint=hint)


def _reason(step: Step, *, with_secrets: bool) -> tuple[str, str]:
    if step.outcome is Outcome.UNKNOWN:
        return _unknown(step)
    if step.outcome in {Outcome.FAILED, Outcome.RESCUED}:
        return step.message, f"say what is known of the hosts ({VARIABLE} in the inventory), or {LOOK}"
    if step.patience is not None:
        return f"`until` {_JUDGED}", "put the loop into a shell task"
    if step.judgement.fails_when is not None and not _never_fails(step):
        return f"`failed_when` {_JUDGED}", "let the program's exit status tell"
    if step.judgement.changes_when is not None and step.notify:
        return "`changed_when` decides on a handler, and only a run can tell it", "notify from a task that knows"
    return ("", "") if with_secrets else _secret(step)


def asking_for_changes(items: Iterable[Item]) -> frozenset[Position]:
    """Where the tasks stand that are done only when others have changed something; those of includes are not known."""
    found: set[Position] = set()
    for item in items:
        if isinstance(item, Block):
            found |= asking_for_changes((*item.body, *item.rescue, *item.always))
        elif isinstance(item, Task) and any(_CHANGES.search(str(condition)) for condition in item.inherited.when):
            found.add(item.where)
    return frozenset(found)


def _unknown(step: Step) -> tuple[str, str]:
    needs = step.message.partition(": needs ")[2] or step.message
    if needs.endswith(_ONLY_A_LOOK):
        return f"what it does depends on {needs.removesuffix(_ONLY_A_LOOK)}", LOOK
    reason = f"what it does depends on {needs}, and a script cannot plan"
    return reason, "use `creates` or a handler, or apply it from a computer that reaches the cluster"


def _secret(step: Step) -> tuple[str, str]:
    hint = "--with-secrets writes it all the same; then keep the file to yourself"
    if step.hidden and step.actions:
        return "it has no_log, and a script is a file that others may read", hint
    if any(map(holds_a_secret, step.actions)) or mask().knows(str(step.label)):
        return "it brings a secret, and a script is a file that others may read", hint
    if any(map(_holds_password, step.actions)):
        return "an address in it holds a password, and a script is a file", hint
    return "", ""


def _never_fails(step: Step) -> bool:
    """Whether `failed_when` is false whatever the program says."""
    values = step.result.values if step.result else {}
    try:
        return not step.judgement.fails_when({"failed": False, "changed": True, **values})
    except UnknownValueError:
        return False


def _holds_password(action: Action) -> bool:
    if isinstance(action, Run):
        texts = [*action.argv, *(value for _, value in action.environment)]
        return any(_PASSWORD.search(text) for text in texts)
    return any(_PASSWORD.search(url) for url in getattr(action, "urls", ()))
