"""What can be wrong between the parts of a site: above all, variables that nothing defines."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any

from scupi_provision.errors import Diagnostic, InputError, Position
from scupi_provision.playbook.argument_specs import check_role
from scupi_provision.playbook.arguments import first_place
from scupi_provision.playbook.certainty import goes_round, is_needed
from scupi_provision.playbook.context import in_reading_order
from scupi_provision.playbook.definitions import (
    MAGIC,
    Placed,
    defines_unseen,
    lasting_names,
    own_names,
    placed_by_play,
    play_names,
    required_options,
)
from scupi_provision.playbook.files import find_file
from scupi_provision.playbook.links import check_files, check_handlers, task_folders
from scupi_provision.playbook.models import Include, Play, Playbook, Task
from scupi_provision.playbook.scalars import is_template
from scupi_provision.playbook.templating import NameUse, names_used, names_used_in_conditions
from scupi_provision.source import diagnostic, suggestion
from scupi_provision.values import TemplateText

_DELIMITERS = frozenset(
    f"{kind}_{edge}_string" for kind in ("block", "variable", "comment") for edge in ("start", "end")
)
_DELIMITERS_IN_FILE = re.compile(r"#jinja2:.*_string")
_LARGEST_TEMPLATE = 1_000_000


def validate_site(
    playbook: Playbook,
    *,
    inventory_names: AbstractSet[str],
    extra_names: AbstractSet[str],
    fact_names: AbstractSet[str],
) -> None:
    """Raise InputError with everything that `site_problems` finds."""
    found = site_problems(playbook, known={*inventory_names, *extra_names, *fact_names})
    if found:
        raise InputError.of(found)


def site_problems(playbook: Playbook, known: AbstractSet[str]) -> list[Diagnostic]:
    """Everything that is wrong between the parts of a site, in reading order; no host is asked.

    Args:
        playbook: The loaded playbook.
        known: Variables from outside of it: those of the inventory's hosts, those of the command line, and facts as
            playbooks may name them without `ansible_facts` (`ansible_distribution`, …).
    """
    found = [*check_variables(playbook, known), *check_handlers(playbook), *check_files(playbook)]
    found += [problem for play in playbook.plays for role in play.roles for problem in check_role(role, play, known)]
    return in_reading_order(found)


def check_variables(playbook: Playbook, known: AbstractSet[str]) -> list[Diagnostic]:
    """Every variable that some template or condition needs and nothing defines, and templates that are not valid.

    Args:
        playbook: The loaded playbook.
        known: Variables from outside of it: inventory, command line, facts.
    """
    plays = placed_by_play(playbook)
    lasting, _ = lasting_names(placed for _, items in plays for placed in items)
    unseen = any(defines_unseen(play, items) for play, items in plays)
    everywhere = frozenset({*MAGIC, *known, *lasting})
    problems: list[Diagnostic] = []
    for play, items in plays:
        problems += _check_play(playbook, play, items, everywhere | play_names(play), report=not unseen)
    return problems


def _check_play(
    playbook: Playbook, play: Play, items: list[Placed], visible: frozenset[str], *, report: bool
) -> list[Diagnostic]:
    check = _Names(visible, report=report)
    for text in (play.hosts, *play.verify):
        check.template(text)
    # A value is rendered where it is used, so it may need whatever any task of the play sees.
    # Those of roles and tasks may never be used: a role may leave it to others what they depend on.
    seen = visible.union(*(own_names(placed) for placed in items))
    used, perhaps_used = (_Names(seen, problems=check.problems, report=said) for said in (report, False))
    for layer in play.variables:
        used.value(layer)
    for value in _values(play, items):
        perhaps_used.value(value)
    for placed in items:
        names = _Names(visible | own_names(placed), problems=check.problems, report=report and placed.certain)
        _check_item(playbook, placed.item, names)
    return check.problems


def _values(play: Play, items: list[Placed]) -> Iterator[Any]:
    """The values of all variables that the roles and tasks of the play define, each once."""
    layers: list[dict[str, Any]] = []
    for role in (*play.roles, *(placed.item.role for placed in items)):
        layers += (role.defaults, role.variables, role.given, role.parameters) if role is not None else ()
    for placed in items:
        layers += placed.item.inherited.variables
    yield from {id(layer): layer for layer in layers}.values()


@dataclass
class _Names:
    """Looks for names that are not among `known`; `guarded` are those whose absence a condition has dealt with."""

    known: frozenset[str]
    problems: list[Diagnostic] = field(default_factory=list)
    report: bool = True
    guarded: frozenset[str] = frozenset()

    def value(self, value: Any) -> None:
        """Check every template in a raw value."""
        if isinstance(value, TemplateText):
            self.template(value)
        elif isinstance(value, dict):
            for key, item in value.items():
                self.value(key)
                self.value(item)
        elif isinstance(value, list | tuple):
            for item in value:
                self.value(item)

    def template(self, text: TemplateText) -> None:
        """Check a text with `{{ }}`."""
        if is_template(text):
            self._judge(lambda: names_used(text, expression=False))

    def conditions(self, conditions: Iterable[TemplateText | bool]) -> frozenset[str]:
        """Check conditions that are judged in order until one is false; the names that they guard."""
        texts = [condition for condition in conditions if isinstance(condition, TemplateText)]
        uses = self._judge(lambda: names_used_in_conditions(texts), only=texts[0]) if texts else []
        return frozenset(use.name for use in uses if use.guarded)

    def _judge(self, find: Any, *, only: TemplateText | None = None) -> list[NameUse]:
        """The uses of names that `find` finds; what is certainly needed (in `only`, if given) must be defined."""
        try:
            uses: list[NameUse] = find()
        except InputError as error:
            self.problems.extend(error.diagnostics)
            return []
        asked = (use for use in uses if only is None or use.text.position == only.position)
        absent = (use for use in asked if not use.guarded and not self._may_be_there(use.name) and is_needed(use))
        self.problems.extend(self._undefined(use) for use in absent if self.report)
        return uses

    def _may_be_there(self, name: str) -> bool:
        """Whether something defines `name`. A role may ask for a fact that only other systems have."""
        return name in self.known or name in self.guarded or name.startswith("ansible_")

    def _undefined(self, use: NameUse) -> Diagnostic:
        hint = suggestion(use.name, sorted(self.known)) or "define it below `vars:`, or give it a `default(…)`"
        return diagnostic(f'undefined variable "{use.name}"', use.position, hint=hint)


def _check_item(playbook: Playbook, item: Task | Include, names: _Names) -> None:
    names.known |= required_options(item.role)
    names.guarded = names.conditions(item.inherited.when)
    if item.loop is not None and item.loop.lookup != "first_found":  # which leaves out what needs an undefined name
        names.value(item.loop.items)
    # What a condition or an empty loop keeps from running needs nothing.
    names.report = names.report and not item.inherited.when and goes_round(item.loop)
    _check_shared(item, names)
    if isinstance(item, Task):
        _check_task(playbook, item, names)
    else:
        names.template(item.target)


def _check_shared(item: Task | Include, names: _Names) -> None:
    inherited = item.inherited
    flags = (inherited.ignore_errors, inherited.no_log, inherited.check_mode, inherited.diff)
    for value in (item.name, *flags, *inherited.environment):
        names.value(value)
    if item.loop is not None:
        names.value(item.loop.label)


def _check_task(playbook: Playbook, task: Task, names: _Names) -> None:
    module = playbook.modules.get(task.module)
    conditions = module.conditions if module else ()
    expressions = module.expressions if module else ()
    for name, value in task.arguments.items():
        if name in conditions or name in expressions:
            names.conditions(value if isinstance(value, list) else [value])
        else:
            names.value(value)
    for value in (*task.notify, task.retries, task.delay):
        names.value(value)
    for judged in (task.changed_when, task.failed_when, task.until):
        names.conditions(judged)
    if task.module == "template":
        _check_template_file(playbook, task, names)


def _check_template_file(playbook: Playbook, task: Task, names: _Names) -> None:
    """Check the template that a task fills in, when it is known which one that is."""
    source = task.arguments.get("src")
    if not isinstance(source, str) or is_template(source) or _DELIMITERS.intersection(task.arguments):
        return
    path = find_file(source, "templates", task_folders(playbook, task))
    if path is None or not path.is_file() or path.stat().st_size > _LARGEST_TEMPLATE:
        return
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        where = first_place(source) or task.where
        names.problems.append(diagnostic(f"cannot read the template {path}", where, detail=str(error)))
        return
    if _DELIMITERS_IN_FILE.match(text):
        return
    if text.startswith("#jinja2:"):
        text = text.partition("\n")[2]
    names.template(TemplateText(text, Position(str(path), 1, 1)))
