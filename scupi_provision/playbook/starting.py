"""What the command line makes of a playbook: where it begins, and what counts where its plays say nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatch

from scupi_provision.errors import InputError
from scupi_provision.playbook.models import Block, Include, Item, Play, Playbook, Task
from scupi_provision.source import suggestion

Selects = Callable[[Sequence[str]], bool]
"""Whether an item with these tags takes part in the run."""


def begun_at(playbook: Playbook, task: str, selects: Selects) -> Playbook:
    """`playbook` without what stands before the first task that `task` names.

    As in Ansible, tasks are found that take part and are known before the run: those of imports and roles, and includes
    themselves, but nothing that is included while it runs.

    Args:
        playbook: The loaded playbook.
        task: The name of a task, alone or as `role : name`, or a pattern for it (`*`, `?`, `[…]`).
        selects: Whether an item with these tags takes part.

    Raises:
        InputError: No task is named so.
    """
    for number, play in enumerate(playbook.plays):
        left = _from(play.tasks, task, selects)
        if left is not None:
            return replace(playbook, plays=(replace(play, tasks=left), *playbook.plays[number + 1 :]))
    names = [name for play in playbook.plays for item in play.tasks for name in _all_names(item, selects)]
    hint = suggestion(task, names) or "`provision check --list-tasks` lists them; a pattern may have * and ?"
    raise InputError(f'--start-at-task: no task is called "{task}"', hint=hint)


def with_forced_handlers(playbook: Playbook) -> Playbook:
    """`playbook`, where notified handlers run on hosts that have failed, unless a play says otherwise."""
    return replace(playbook, plays=tuple(_forced(play) for play in playbook.plays))


def with_login(playbook: Playbook, login: Mapping[str, str]) -> Playbook:
    """`playbook`, whose plays enter hosts as `login` says (`ansible_user` …) where they, and the inventory, do not."""
    plays = tuple(replace(play, login={**login, **play.login}) for play in playbook.plays)
    return replace(playbook, plays=plays) if login else playbook


def _forced(play: Play) -> Play:
    return replace(play, force_handlers=True) if play.force_handlers is None else play


def _from(items: Sequence[Item], task: str, selects: Selects) -> tuple[Item, ...] | None:
    """`items` from the task on, or None when it is not among them; what only a failure leads to is not looked at."""
    for number, item in enumerate(items):
        rest = tuple(items[number + 1 :])
        if isinstance(item, Block):
            body, always = _from(item.body, task, selects), _from(item.always, task, selects)
            if body is not None:
                return (replace(item, body=body), *rest)
            if always is not None:
                return (replace(item, body=(), always=always), *rest)
        elif any(name == task or fnmatch(name, task) for name in _names(item, selects)):
            return (item, *rest)
    return None


def _names(item: Task | Include, selects: Selects) -> Iterator[str]:
    if not selects(item.inherited.tags):
        return
    name = str(item.name) if item.name is not None else item.module if isinstance(item, Task) else ""
    if name:
        yield name
        if item.role is not None:
            yield f"{item.role.name} : {name}"


def _all_names(item: Item, selects: Selects) -> Iterator[str]:
    if isinstance(item, Block):
        for inner in (*item.body, *item.always):
            yield from _all_names(inner, selects)
    else:
        yield from _names(item, selects)
