"""`import_tasks`, `import_role` (expanded while loading), `include_tasks`, `include_role` (loaded while planning)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from scupi_provision.errors import InputError, Position
from scupi_provision.playbook import known, roles
from scupi_provision.playbook.context import Scope, Site
from scupi_provision.playbook.freeform import read_pairs
from scupi_provision.playbook.keyword_tables import BLOCK
from scupi_provision.playbook.keywords import Reader, Values, inherit, read_keywords, refuse_unknown
from scupi_provision.playbook.known import words
from scupi_provision.playbook.loops import read_loop
from scupi_provision.playbook.models import Include, Inherited, Item
from scupi_provision.playbook.scalars import (
    Problems,
    is_template,
    read_static_boolean,
    read_text_value,
)
from scupi_provision.source import MappingNode, Node, diagnostic, suggestion
from scupi_provision.values import SourceText, TemplateText

if TYPE_CHECKING:
    from scupi_provision.playbook.calls import Call

STATEMENTS = ("import_tasks", "include_tasks", "import_role", "include_role")
_DEEPEST = 40
"""More files that include one another than this are a loop that no condition ends."""

_APPLY: Mapping[str, Reader] = {
    name: reader for name, reader in BLOCK.items() if name not in {"block", "rescue", "always"}
}


def _read_apply(node: Node, problems: Problems) -> Values:
    if not isinstance(node, MappingNode):
        problems.append(diagnostic("apply must be a mapping of keywords", node.position))
        return {}
    values, rest = read_keywords(node, _APPLY, known.BLOCK_KEYWORDS, problems)
    for key, _value in rest:
        refuse_unknown(key, _APPLY, problems, where=" of apply")
    return values


_TASK_OPTIONS: Mapping[str, Reader] = {"file": read_text_value}
_ROLE_OPTIONS: Mapping[str, Reader] = {
    "name": read_text_value,
    "role": read_text_value,
    "tasks_from": read_text_value,
    "vars_from": read_text_value,
    "defaults_from": read_text_value,
    "handlers_from": read_text_value,
    "allow_duplicates": read_static_boolean,
    "rolespec_validate": read_static_boolean,
    "public": read_static_boolean,
}
_FILES = ("tasks_from", "vars_from", "defaults_from", "handlers_from")
_INCLUDE_OPTIONS: Mapping[str, Reader] = {"apply": _read_apply}
_KEYWORDS = words(
    """
    name when tags vars args action loop with loop_control ignore_errors no_log run_once timeout collections debugger
    listen
    """
)
"""What an include may say of itself, as Ansible has it; the rest belongs below `apply:`."""


def read_statement(call: Call, values: Values, scope: Scope, site: Site) -> tuple[Item, ...]:
    """The tasks that an import stands for, or the Include that stands for tasks."""
    before = len(site.problems)
    options = _read_options(call, values.get("args"), site.problems)
    target = options.get("file") if call.name.endswith("_tasks") else options.get("name", options.get("role"))
    if target is None:
        what = "a file" if call.name.endswith("_tasks") else "a role: `name: …`"
        if len(site.problems) == before:  # what could not be read is not missing
            site.problems.append(diagnostic(f"{call.name} must name {what}", call.key.position))
        return ()
    if call.name.startswith("import_"):
        return _read_import(call, target, options, values, scope, site)
    return _read_include(call, target, options, values, scope, site)


def _read_options(call: Call, extra: Node | None, problems: Problems) -> Values:
    tasks = call.name.endswith("_tasks")
    table = dict(_TASK_OPTIONS if tasks else _ROLE_OPTIONS)
    if call.name.startswith("include_"):
        table |= _INCLUDE_OPTIONS
    options: Values = {}
    for node in (extra, call.value):
        if isinstance(node, MappingNode):
            found, rest = read_keywords(node, table, (), problems)
            options |= found
            for key, _value in rest:
                hint = suggestion(key, table) or f"it has {', '.join(table)}"
                problems.append(diagnostic(f'unknown argument "{key}" of "{call.name}"', key.position, hint=hint))
        elif isinstance(node, SourceText):
            options |= _read_text(call, node, table, problems)
    return options


def _read_text(call: Call, text: SourceText, table: Mapping[str, Reader], problems: Problems) -> Values:
    if call.name.endswith("_tasks") and not text.startswith("file="):
        return {"file": read_text_value(text, problems)}
    try:
        pairs = read_pairs(text)
    except ValueError as error:
        hint = "write `name: ROLE` below it"
        problems.append(diagnostic(f"{call.name}: {error}", text.position, hint=hint))
        return {}
    for name, value in pairs.items():
        if name not in table:
            problems.append(diagnostic(f'unknown argument "{name}" of "{call.name}"', value.position))
    return {name: table[name](value, problems) for name, value in pairs.items() if name in table}


def _read_import(
    call: Call, target: TemplateText, options: Values, values: Values, scope: Scope, site: Site
) -> tuple[Item, ...]:
    for name in ("loop", "with", "loop_control", "register", "until"):
        if name in values:
            hint = f"write {call.name.replace('import', 'include')}" if name in {"loop", "with", "loop_control"} else ""
            said = values["with"][0] if name == "with" else name
            site.problems.append(diagnostic(f'{call.name} cannot have "{said}"', call.node.position, hint=hint))
    inside = replace(scope, inherited=inherit(scope.inherited, values))
    chosen = _chosen_by_template(options)
    if is_template(target) or chosen:
        return (_import_later(call, target, options, chosen, inside, site),)
    if call.name == "import_role":
        return roles.import_role(target, options, inside, site)
    path = find_task_file(target, scope, site, imported=True)
    if path is None:
        return ()
    if path in scope.stack:
        _refuse_loop(path, target.position, scope, site)
        return ()
    return site.read_file(path, inside)


def _import_later(
    call: Call, target: TemplateText, options: Values, chosen: dict[str, TemplateText], inside: Scope, site: Site
) -> Include:
    """An import whose file a template names: found while planning, and its tasks are as those of any import."""
    statement = call.name.replace("import", "include")
    return Include(
        target=target,
        load=_Load(statement, target.position, options, inside, site),
        where=call.node.position,
        inherited=replace(inside.inherited, when=(), tags=("always",)),
        role=inside.role,
        options=chosen,
    )


def _chosen_by_template(options: Values) -> dict[str, TemplateText]:
    return {name: options[name] for name in _FILES if is_template(options.get(name))}


def _read_include(
    call: Call, target: TemplateText, options: Values, values: Values, scope: Scope, site: Site
) -> tuple[Item, ...]:
    _refuse_beside_include(call, options, values, site)
    own = inherit(scope.inherited, values)
    inside = replace(scope, inherited=_handed_to_included(scope.inherited, values, options.get("apply", {})))
    load = _Load(call.name, target.position, options, inside, site)
    include = Include(
        target=target,
        load=load,
        where=call.node.position,
        name=values.get("name"),
        inherited=own,
        role=scope.role,
        loop=read_loop(values, site.problems),
        options=_chosen_by_template(options),
        listen=values.get("listen", ()),
    )
    if not is_template(target) and not include.options:
        _check_now(include, load, scope, site)
    return (include,)


def _refuse_beside_include(call: Call, options: Values, values: Values, site: Site) -> None:
    for name in sorted(values.keys() - _KEYWORDS):
        hint = "put it below `apply:` to give it to the tasks inside"
        site.problems.append(diagnostic(f'{call.name} cannot have "{name}"', call.node.position, hint=hint))
    if options.get("allow_duplicates") is False:
        summary = "include_role cannot tell whether the role has run before: allow_duplicates: false is refused"
        site.problems.append(diagnostic(summary, call.key.position, hint="write `when:`, or name it below `roles:`"))


def _handed_to_included(outer: Inherited, values: Values, apply: Values) -> Inherited:
    """What included tasks inherit: the levels above, the include's `vars` and `no_log`, and what `apply:` says.

    Tags and the rest belong to the include itself, as in Ansible; `no_log` is handed on, because showing what somebody
    wanted hidden would be worse.
    """
    passed: Values = {name: values[name] for name in ("vars", "no_log") if name in values}
    parameters = (*outer.parameters, *([values["vars"]] if values.get("vars") else []))
    return inherit(replace(inherit(outer, passed), when=(), parameters=parameters), apply)


@dataclass(frozen=True)
class _Load:
    """Loads the tasks of a rendered target (and of those files of a role that templates name), once."""

    statement: str
    where: Position
    options: Values
    scope: Scope
    site: Site
    loaded: dict[tuple[str, ...], tuple[Item, ...]] = field(default_factory=dict)

    def __call__(self, target: str, chosen: Mapping[str, str]) -> tuple[Item, ...]:
        key = (target, *chosen.values())
        if key not in self.loaded:
            self.loaded[key] = self._read(target, chosen)
        return self.loaded[key]

    def file(self, target: TemplateText) -> Path | None:
        """The file of tasks to which `target` leads, when there is one."""
        if self.statement == "include_role":
            return roles.tasks_file(target, self.options, self.site)
        return find_task_file(target, self.scope, self.site.anew())

    def _read(self, target: str, chosen: Mapping[str, str]) -> tuple[Item, ...]:
        site = self.site.anew()
        options = {**self.options, **{name: TemplateText(file, self.where) for name, file in chosen.items()}}
        items: tuple[Item, ...] = ()
        text = TemplateText(target, self.where)
        if len(self.scope.stack) > _DEEPEST:
            _refuse_loop(self.scope.stack[-1], self.where, self.scope, site)
        elif self.statement == "include_role":
            items = roles.include_role(text, options, self.scope, site)
            self.site.included.extend(role for role in site.included if role not in self.site.included)
            if options.get("public") is True:
                self.site.roles.extend(role for role in site.roles if role not in self.site.roles)
        elif (path := find_task_file(text, self.scope, site)) is not None:
            items = site.read_file(path, self.scope)
        if site.problems:
            raise InputError.of(site.problems)
        return items


def _check_now(include: Include, load: _Load, scope: Scope, site: Site) -> None:
    """Read a target that is known already, so that its errors are reported before any host is reached."""
    path = load.file(include.target)
    if path is not None and path in scope.stack:
        if include.inherited.when == scope.inherited.when and include.loop is None:
            _refuse_loop(path, include.target.position, scope, site)
        return
    try:
        load(str(include.target), {})
    except InputError as error:
        site.gaps.append(str(include.target))
        site.report(error.diagnostics)


def _refuse_loop(path: Path, where: Position, scope: Scope, site: Site) -> None:
    way = " → ".join(str(file) for file in (*scope.stack[-5:], path))
    site.problems.append(diagnostic(f"{path.name} includes itself without end", where, detail=way))


def find_task_file(target: TemplateText, scope: Scope, site: Site, *, imported: bool = False) -> Path | None:
    """The file of tasks that `target` names: beside the file that says so, in the role, beside the playbook.

    In a role, an import looks beside the file first, an include in the role's folder for tasks (as in Ansible 2.19).
    """
    folders = [scope.file.parent]
    if scope.role is not None:
        own = scope.role.directory / ("handlers" if scope.handlers else "tasks")
        folders = [*folders, own] if imported else [own, *folders]
        folders += [scope.role.directory / "tasks", scope.role.directory]
    folders += [site.playbook_dir, site.playbook_dir / "tasks"]
    paths = list(dict.fromkeys(folder / str(target) for folder in folders))
    for path in paths:
        if path.is_file():
            return path
    detail = "Searched:\n" + "\n".join(f"  {path}" for path in paths)
    site.gaps.append(str(target))
    beside = [file.name for file in scope.file.parent.glob("*.y*ml")]
    hint = suggestion(target, beside)
    site.problems.append(diagnostic(f'there is no file of tasks "{target}"', target.position, detail=detail, hint=hint))
    return None
