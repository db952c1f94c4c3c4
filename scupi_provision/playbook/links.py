"""What tasks point at by name: handlers, and files of the controller."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from scupi_provision.errors import Diagnostic
from scupi_provision.modules.contract import controller_files
from scupi_provision.playbook.arguments import RAW
from scupi_provision.playbook.certainty import goes_round
from scupi_provision.playbook.definitions import placed_by_play
from scupi_provision.playbook.files import candidates, find_file, search_folders
from scupi_provision.playbook.models import Include, Playbook, Task
from scupi_provision.playbook.scalars import has_template, is_template
from scupi_provision.source import diagnostic, suggestion
from scupi_provision.values import SourceText


def check_handlers(playbook: Playbook) -> list[Diagnostic]:
    """Every `notify` with a fixed name to which no handler of the play answers."""
    found: list[Diagnostic] = []
    for play, items in placed_by_play(playbook):
        answers = {str(name) for handler in play.handlers for name in _answers(handler)}
        if any(is_template(handler.name) for handler in play.handlers):
            continue  # a handler whose name depends on variables may answer to anything
        if any(isinstance(placed.item, Include) and is_template(placed.item.target) for placed in items):
            continue  # so may one of a role that variables choose
        for task in (placed.item for placed in items if isinstance(placed.item, Task)):
            for name in task.notify:
                if not is_template(name) and str(name) not in answers:
                    hint = suggestion(name, answers) or f"handlers: {', '.join(sorted(answers)) or 'none'}"
                    found.append(diagnostic(f'no handler is called "{name}"', name.position, hint=hint))
    return found


def _answers(handler: Task | Include) -> Iterator[str]:
    names = [*handler.listen, *([handler.name] if handler.name is not None else [])]
    for name in names:
        yield str(name)
        if handler.role is not None:
            yield f"{handler.role.name} : {name}"


def check_files(playbook: Playbook) -> list[Diagnostic]:
    """Every file of the controller that a task names and that is not there; names with templates are not judged.

    Nor are tasks that a condition may keep from running.
    """
    found: list[Diagnostic] = []
    for _, items in placed_by_play(playbook):
        for task in (placed.item for placed in items if placed.certain and isinstance(placed.item, Task)):
            if not task.inherited.when and goes_round(task.loop):
                found += _check_task_files(playbook, task)
    return found


def _check_task_files(playbook: Playbook, task: Task) -> Iterator[Diagnostic]:
    module = playbook.modules.get(task.module)
    if module is None or module.prepare or has_template(task.arguments.get("remote_src")):
        return  # what a module makes of its arguments is looked up when the task is planned
    values = {name: value for name, value in task.arguments.items() if name != RAW}
    try:
        named = controller_files(module, values)
    except ValueError:  # a remote_src that is no boolean has been reported by the loader
        return
    folders = task_folders(playbook, task)
    for name, kind in named.items():
        value = values[name]
        if isinstance(value, SourceText) and not is_template(value) and not find_file(value, kind, folders):
            detail = "Searched:\n" + "\n".join(f"  {path}" for path in candidates(value, kind, folders))
            yield diagnostic(f'there is no file "{value}"', value.position, detail=detail)


def task_folders(playbook: Playbook, task: Task) -> tuple[Path, ...]:
    """The folders in which the files of `task` are searched."""
    return search_folders(task.role, Path(task.where.file), playbook.path.parent)
