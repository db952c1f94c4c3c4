"""Rules that look at a whole play, or at what its parts say of one another."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from scupi_provision.errors import Diagnostic, InputError
from scupi_provision.playbook.definitions import items_of_play
from scupi_provision.playbook.linting.findings import Rule
from scupi_provision.playbook.models import Play, Playbook, Task
from scupi_provision.playbook.scalars import is_template
from scupi_provision.playbook.templating import names_used
from scupi_provision.source import diagnostic
from scupi_provision.values import SourceText, TemplateText


def _never_notified(playbook: Playbook) -> Iterator[Diagnostic]:
    for play in playbook.plays:
        called = [str(name) for task in _tasks(play) for name in (*task.notify, *task.inherited.notify)]
        if any("{{" in name for name in called):
            continue  # any handler may be meant
        called = [name.rpartition(" : ")[2] for name in called]
        for handler in play.handlers:
            names = {str(handler.name), *map(str, handler.listen)}
            if isinstance(handler, Task) and names.isdisjoint(called) and not any("{{" in name for name in names):
                hint = "notify it, or remove it"
                yield diagnostic(f'nothing notifies the handler "{handler.name}"', handler.where, hint=hint)


def _never_used(playbook: Playbook) -> Iterator[Diagnostic]:
    tasks = [task for play in playbook.plays for task in _tasks(play)]
    words = " ".join(_texts([vars(task) for task in tasks]))
    used = _names(tasks) | {name for name in words.replace("'", '"').split('"') if name.isidentifier()}
    for task in tasks:
        if task.register and task.register not in used and not _read_by_files(tasks):
            yield diagnostic(f'nothing uses the registered variable "{task.register}"', task.where)


def _read_by_files(tasks: Iterable[Task]) -> bool:
    """Whether a template or an included file, which is not looked into here, may use any name."""
    return any(task.module == "template" for task in tasks)


def _names(tasks: Iterable[Task]) -> set[str]:
    found: set[str] = set()
    for task in tasks:
        conditions = (*task.inherited.when, *task.changed_when, *task.failed_when, *task.until)
        own = [task.arguments, task.loop and vars(task.loop), *task.inherited.variables, *task.inherited.environment]
        for text, expression in (*((c, True) for c in conditions), *((t, False) for t in _templates(own))):
            if isinstance(text, TemplateText):
                found |= _names_of(text, expression=expression)
    return found


def _names_of(text: TemplateText, *, expression: bool) -> set[str]:
    try:
        return {use.name for use in names_used(text, expression=expression)}
    except InputError:  # reported by the reader of the site
        return set()


def _templates(value: Any) -> Iterator[TemplateText]:
    yield from (text for text in _texts(value) if isinstance(text, TemplateText) and is_template(text))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _texts(key)
            yield from _texts(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _texts(item)


def _unnamed_play(playbook: Playbook) -> Iterator[Diagnostic]:
    for play in playbook.plays:
        if not play.name or play.name == str(play.hosts):
            yield diagnostic("this play has no name", play.where, hint="write `- name: what it is for`")


def _misnamed_role_variable(playbook: Playbook) -> Iterator[Diagnostic]:
    seen = set()
    for role in (role for play in playbook.plays for role in play.roles):
        prefix = role.name.rpartition(".")[2].replace("-", "_").split("_")[0]
        for name in role.defaults:
            if isinstance(name, SourceText) and not name.startswith(prefix) and name.position not in seen:
                seen.add(name.position)
                hint = f"call it {prefix}_{name}"
                yield diagnostic(f'"{name}" may be a variable of another role too', name.position, hint=hint)


def _tasks(play: Play) -> list[Task]:
    return [placed.item for placed in items_of_play(play) if isinstance(placed.item, Task) and placed.item.module]


PLAYBOOK_RULES = (
    Rule("unnamed-play", "A run speaks of plays by name.", _unnamed_play),
    Rule("never-notified", "A handler that nothing calls is a misspelled name, or a leftover.", _never_notified),
    Rule("never-used", "A variable that nothing reads is a misspelled name, or a leftover.", _never_used),
    Rule("role-variable", "Variables of all roles share one space of names.", _misnamed_role_variable),
)
