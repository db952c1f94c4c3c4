"""The rounds of a loop: what each sees, how it is named, and what they register together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from scupi_provision.errors import InputError
from scupi_provision.events import Outcome, TaskLabel
from scupi_provision.playbook.looping import loop_terms
from scupi_provision.playbook.models import Include, Task
from scupi_provision.playbook.templating import Templar
from scupi_provision.source import diagnostic
from scupi_provision.values import UnknownValue, UnknownValueError

_HIDDEN = "hidden by no_log"


@dataclass(frozen=True)
class Round:
    """What is known of one round of a task after a pass.

    Attributes:
        values: What `register` gets of it.
        fails: Whether it fails the task (not when errors are ignored).
        unknown: Why nothing is known of it yet, or "".
    """

    outcome: Outcome
    values: Mapping[str, Any] = field(default_factory=dict)
    fails: bool = False
    unknown: str = ""


def loop_variables(item: Task | Include, templar: Templar) -> Iterator[dict[str, Any]]:
    """The variables of each round, one empty mapping without a loop.

    Raises:
        InputError: The loop is wrong.
        UnknownValueError: What is looped over is known only after apply.
    """
    loop = item.loop
    if loop is None:
        yield {}
        return
    if loop.lookup:
        items = loop_terms(loop.lookup, loop.items, templar, folder=loop.folder)
    else:
        items = templar.render(loop.items)
    if loop.flatten:
        items = _flattened(items)
    if not isinstance(items, list):
        what = f"loop needs a list, this is {type(items).__name__}"
        raise InputError.of([diagnostic(what, item.where, hint="a mapping becomes a list by `| dict2items`")])
    for index, value in enumerate(items):
        local = {loop.variable: value, "ansible_loop_var": loop.variable}
        if loop.index_variable:
            local[loop.index_variable] = index
        yield local


def _flattened(items: Any) -> list[Any]:
    """As `with_items` has it: no list is a list of one, and lists within are opened, one level."""
    return [inner for item in _listed(items) for inner in _listed(item)]


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]


def registered(task: Task, rounds: Sequence[tuple[Round, Mapping[str, Any]]]) -> Any:
    """What `register` gets; unknown as a whole while nothing is known of one of its rounds."""
    unknown = next((done.unknown for done, _ in rounds if done.unknown), "")
    if unknown:
        return UnknownValue(unknown)
    if task.loop is None:
        return dict(rounds[0][0].values) if rounds else {}
    named = {task.loop.variable, "ansible_loop_var"}
    results = [{**done.values, **{name: local[name] for name in named & local.keys()}} for done, local in rounds]
    return {
        "results": results,
        "changed": any(result.get("changed") for result in results),
        "failed": any(result.get("failed") for result in results),
        "skipped": bool(results) and all(result.get("skipped") for result in results),
        "msg": "All items completed" if not any(done.fails for done, _ in rounds) else "One or more items failed",
    }


def task_label(task: Task, templar: Templar, home: str) -> TaskLabel:
    """How a round is named to people: what cannot be rendered yet is shown as written, items of `no_log` not at all."""
    item = ""
    if task.loop is not None:
        item = _HIDDEN if is_hidden(task, templar) else _item_label(task, templar)
    name = _text(task.name, templar) if task.name else task.module
    role = task.role.name if task.role else ""
    return TaskLabel(from_home(name, home), task.module, role, from_home(item, home), task.where)


def from_home(text: str, home: str) -> str:
    """`text` for people: paths below the home begin with `~/`."""
    return text.replace(f"{home}/", "~/") if len(home) > 1 else text


def is_hidden(item: Task | Include, templar: Templar) -> bool:
    """Whether `no_log` holds; in doubt it does."""
    flag = item.inherited.no_log
    try:
        return flag is not None and templar.holds(flag)
    except (UnknownValueError, InputError):
        return True


def _item_label(task: Task, templar: Templar) -> str:
    loop = task.loop
    if loop is None or loop.label is not None:
        return _text(loop.label, templar) if loop else ""
    try:
        return str(templar.variables.get(loop.variable, ""))
    except (UnknownValueError, InputError):
        return loop.variable


def _text(text: Any, templar: Templar) -> str:
    try:
        return templar.text(text)
    except (UnknownValueError, InputError):
        return str(text)
