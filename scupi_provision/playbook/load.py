"""A playbook file, with everything it imports and every role it uses, to a Playbook. All errors come together."""

from __future__ import annotations

import os.path
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from scupi_provision.errors import Diagnostic, InputError, Position
from scupi_provision.modules.contract import Module
from scupi_provision.playbook import known
from scupi_provision.playbook.arguments import RAW
from scupi_provision.playbook.context import Scope, Site, in_reading_order, module_names
from scupi_provision.playbook.keyword_tables import IMPORT_PLAYBOOK, PLAY, TASK
from scupi_provision.playbook.keywords import Values, inherit, read_keywords, refuse_unknown
from scupi_provision.playbook.models import Inherited, Item, Play, Playbook, Task
from scupi_provision.playbook.play_variables import read_prompts, read_vars_files
from scupi_provision.playbook.roles import read_roles
from scupi_provision.playbook.scalars import is_template, kind_of
from scupi_provision.playbook.tasks import read_items
from scupi_provision.source import MappingNode, Node, NullNode, SequenceNode, closest, diagnostic
from scupi_provision.values import SourceText, TemplateText


def load_playbook(path: Path, *, roles_paths: tuple[Path, ...], registry: Mapping[str, Module]) -> Playbook:
    """Read the playbook at `path` and everything it leads to; no host is needed for that.

    Args:
        path: The playbook.
        roles_paths: Folders with roles, besides `roles/` near the playbook and those of the package.
        registry: The modules, by name.

    Raises:
        InputError: Everything that is wrong in all of the files, in the order of reading.
    """
    reading = read_playbook(path, roles_paths=roles_paths, registry=registry)
    if reading.problems:
        raise InputError.of(reading.problems)
    return reading.playbook


@dataclass(frozen=True)
class Reading:
    """What could be read of a site.

    Attributes:
        playbook: All that could be read; only fit to be looked at, not to be planned, when there are problems.
        problems: Everything that is wrong, in the order of reading.
        complete: Whether every file was found and read, so that what nothing defines can be told.
    """

    playbook: Playbook
    problems: list[Diagnostic]
    complete: bool


def read_playbook(path: Path, *, roles_paths: tuple[Path, ...], registry: Mapping[str, Module]) -> Reading:
    """As `load_playbook`, for who wants to look for more that is wrong (`checks.site_problems`) before reporting."""
    site = Site(path.parent, roles_paths, module_names(registry), read_items)
    plays = _read_playbook(path, Scope(path, stack=(path,)), site)
    return Reading(Playbook(path, plays, registry), in_reading_order(site.problems), complete=not site.gaps)


def _read_playbook(path: Path, scope: Scope, site: Site) -> tuple[Play, ...]:
    document = site.document(path)
    if document is None:
        return ()
    if isinstance(document, NullNode) or (isinstance(document, SequenceNode) and not document.items):
        site.problems.append(diagnostic("the playbook is empty", document.position, hint="write `- hosts: admin1`"))
        return ()
    if not isinstance(document, SequenceNode):
        hint = 'begin each play with "- ": `- hosts: admin1`'
        summary = f"a playbook is a list of plays, not {kind_of(document)}"
        site.problems.append(diagnostic(summary, document.position, hint=hint))
        return ()
    return tuple(play for node in document.items for play in _read_entry(node, scope, site))


def _read_entry(node: Node, scope: Scope, site: Site) -> tuple[Play, ...]:
    if not isinstance(node, MappingNode) or not node.items:
        site.problems.append(diagnostic("a play must be a mapping", node.position, hint="write `- hosts: admin1`"))
        return ()
    for name in ("import_playbook", "ansible.builtin.import_playbook"):
        if node.get(name) is not None:
            return _import_playbook(node, scope, site)
    return _read_play(node, scope, replace(site, uses=[], roles=[], included=[]))


def _import_playbook(node: MappingNode, scope: Scope, site: Site) -> tuple[Play, ...]:
    table = {**IMPORT_PLAYBOOK, "ansible.builtin.import_playbook": IMPORT_PLAYBOOK["import_playbook"]}
    values, rest = read_keywords(node, table, known.PLAY_KEYWORDS, site.problems)
    for key, _value in rest:
        refuse_unknown(key, IMPORT_PLAYBOOK, site.problems, where=" of import_playbook")
    target = values.get("import_playbook") or values.get("ansible.builtin.import_playbook")
    if target is None:
        return ()
    if is_template(target):
        summary = "import_playbook happens before variables are known, so its target cannot be a template"
        site.problems.append(diagnostic(summary, target.position))
        return ()
    path = Path(os.path.normpath(scope.file.parent / str(target)))
    if path in scope.stack:
        way = " → ".join(str(file) for file in (*scope.stack, path))
        site.problems.append(diagnostic(f"{path.name} imports itself without end", target.position, detail=way))
        return ()
    if not path.is_file():
        site.problems.append(diagnostic(f"there is no playbook {path}", target.position))
        return ()
    inside = Scope(path, inherit(scope.inherited, values), stack=(*scope.stack, path))
    return _read_playbook(path, inside, replace(site, playbook_dir=path.parent))


def _read_play(node: MappingNode, scope: Scope, site: Site) -> tuple[Play, ...]:
    if not any(str(key) in {"hosts", "tasks", "roles"} for key, _ in node.items) and any(
        site.module(key) is not None for key, _ in node.items
    ):
        hint = "put it below `tasks:` of a play that begins with `- hosts:`"
        site.problems.append(diagnostic("this is a task, not a play", node.position, hint=hint))
        return ()
    values, rest = read_keywords(node, PLAY, known.PLAY_KEYWORDS, site.problems)
    for key, _value in rest:
        hint_for_tasks = closest(key, PLAY) is None and (site.module(key) is not None or key in TASK)
        where = " of a play (it belongs to a task: put it below `tasks:`)" if hint_for_tasks else ""
        refuse_unknown(key, PLAY, site.problems, where=where)
    if "hosts" not in values:
        site.problems.append(diagnostic('a play needs "hosts"', node.position, hint="add `hosts: admin1`"))
    hosts = _joined(values.get("hosts", ()), node.position)
    # Of imports around, the outermost has the last word.
    variables = (values.pop("vars", {}), *reversed(scope.inherited.variables))
    inside = replace(scope, inherited=inherit(replace(scope.inherited, variables=()), values))
    tasks = _read_tasks(values, inside, site)
    # A condition of import_playbook is handed to tasks and roles, not to handlers.
    unconditional = replace(inside, inherited=replace(inside.inherited, when=()))
    handlers = site.read_handlers(values["handlers"], unconditional) if "handlers" in values else ()
    verify_tasks = site.read_items(values["verify_tasks"], inside, site) if "verify_tasks" in values else ()
    if verify_tasks and not values.get("verify"):
        place = next(key.position for key, _ in node.items if key == "verify_tasks")
        hint = "add `verify: PATTERN` with the hosts on which to verify"
        site.problems.append(diagnostic("verify_tasks without verify", place, hint=hint))
    given, later = read_vars_files(values.get("vars_files"), site)
    play = Play(
        name=str(values.get("name") or hosts),
        hosts=hosts,
        where=node.position,
        variables=tuple(layer for layer in (*variables, *given) if layer),
        vars_files=later,
        tasks=tasks,
        handlers=(*handlers, *(handler for role in (*site.roles, *site.included) for handler in role.handlers)),
        roles=tuple(site.roles),
        verify=values.get("verify", ()),
        verify_tasks=verify_tasks,
        tags=inside.inherited.tags,
        gather_facts=values.get("gather_facts") is not False,
        any_errors_fatal=values.get("any_errors_fatal") is True,
        serial=values.get("serial", ()),
        strategy=values.get("strategy"),
        order=values.get("order"),
        max_fail_percentage=values.get("max_fail_percentage"),
        force_handlers=values.get("force_handlers"),
        prompts=read_prompts(values.get("vars_prompt"), site.problems),
        gather_subset=values.get("gather_subset", ()),
        login=_login(values),
        directory=site.playbook_dir,
    )
    return (play,)


def _login(values: Values) -> dict[str, Any]:
    """How the hosts of a play are entered, as the variables that would say so in an inventory."""
    said = {
        "ansible_connection": values.get("connection"),
        "ansible_user": values.get("remote_user", values.get("user")),
        "ansible_port": values.get("port"),
    }
    return {name: value for name, value in said.items() if value is not None}


def _joined(patterns: tuple[TemplateText, ...], where: Position) -> TemplateText:
    """A list of host patterns as one pattern."""
    if len(patterns) == 1:
        return patterns[0]
    return TemplateText(",".join(patterns), patterns[0].position if patterns else where, plain=True)


def _read_tasks(values: Values, scope: Scope, site: Site) -> tuple[Item, ...]:
    """pre_tasks, roles, tasks, post_tasks; between these, the handlers notified so far are run, as in Ansible."""
    sections = [
        site.read_items(values["pre_tasks"], scope, site) if "pre_tasks" in values else (),
        (
            *(read_roles(values["roles"], scope, site) if "roles" in values else ()),
            *(site.read_items(values["tasks"], scope, site) if "tasks" in values else ()),
        ),
        site.read_items(values["post_tasks"], scope, site) if "post_tasks" in values else (),
    ]
    flush = _flush_handlers(scope)
    ordered: list[Item] = []
    for section in filter(None, sections):
        ordered += [flush, *section] if ordered else section
    if "handlers" in values and "post_tasks" not in values:
        ordered.append(flush)  # what a handler notifies that stands before it runs at the end of the play
    return tuple(ordered)


def _flush_handlers(scope: Scope) -> Task:
    where = Position(str(scope.file), 1, 1)
    inherited = Inherited(tags=("always",))
    return Task(None, "meta", {RAW: SourceText("flush_handlers", where)}, where, inherited=inherited)
