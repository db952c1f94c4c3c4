"""Roles: where they are, what their folders hold, what they depend on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from scupi_provision.errors import Position
from scupi_provision.playbook import known
from scupi_provision.playbook.context import RoleUse, Scope, Site
from scupi_provision.playbook.keywords import ROLE_ENTRY, Values, inherit, read_keywords
from scupi_provision.playbook.models import Item, Role, Task
from scupi_provision.playbook.scalars import (
    check_identifier,
    is_template,
    kind_of,
    read_static_boolean,
    read_variables,
)
from scupi_provision.playbook.site import bundled_site, site_folders
from scupi_provision.source import (
    MappingNode,
    Node,
    NullNode,
    SequenceNode,
    diagnostic,
    implicit,
    raw,
    suggestion,
)
from scupi_provision.values import SourceText, TemplateText

_SUFFIXES = ("", ".yml", ".yaml")
_META_KEYS = ("dependencies", "allow_duplicates", "galaxy_info", "argument_specs", "collections")


@dataclass(frozen=True)
class _Meta:
    """What `meta/` says."""

    dependencies: Node | None
    allow_duplicates: bool
    argument_specs: dict[str, Any]


def read_roles(node: Node, scope: Scope, site: Site) -> tuple[Item, ...]:
    """The tasks of the roles in a play's `roles:` (or a role's `dependencies:`), their own dependencies first."""
    if isinstance(node, NullNode):
        return ()
    if not isinstance(node, SequenceNode):
        hint = 'begin each role with "- "'
        summary = f"a list of roles is expected here, not {kind_of(node)}"
        site.problems.append(diagnostic(summary, node.position, hint=hint))
        return ()
    return tuple(item for entry in node.items for item in _read_entry(entry, scope, site))


def _read_entry(node: Node, scope: Scope, site: Site) -> tuple[Item, ...]:
    values: Values = {}
    parameters: dict[str, Any] = {}
    name: object = node
    if isinstance(node, MappingNode):
        values, rest = read_keywords(node, ROLE_ENTRY, known.ROLE_ENTRY_KEYWORDS, site.problems)
        name = values.get("role", values.get("name"))
        extra: dict[str, Any] = {key: implicit(value) for key, value in rest if check_identifier(key, site.problems)}
        parameters = {**extra, **values.pop("vars", {})}
    if not isinstance(name, SourceText) or not name.strip():
        site.problems.append(diagnostic("a role must be a name, or a mapping with `role: NAME`", node.position))
        return ()
    text = name if isinstance(name, TemplateText) else TemplateText(name, name.position)
    inside = replace(scope, inherited=inherit(scope.inherited, values))
    return _use(text, parameters, values, inside, site)


def _use(name: TemplateText, parameters: dict[str, Any], values: Values, scope: Scope, site: Site) -> tuple[Item, ...]:
    directory = find_role(name, site)
    if directory is None or _runs_in_circles(directory, name, scope, site):
        return ()
    meta = _read_meta(directory, site)
    use = RoleUse(directory, parameters, values.get("when", ()), values.get("tags", ()))
    if use in site.uses and not meta.allow_duplicates:
        return ()
    site.uses.append(use)
    before = _dependencies(meta, directory, scope, site)
    role = _read_role(name, directory, parameters, meta, {}, scope, site)
    site.roles.append(role)
    return (*before, *_tasks(role, {}, scope, site))


def import_role(name: TemplateText, options: Values, scope: Scope, site: Site) -> tuple[Item, ...]:
    """The tasks of a role that a task imports; its variables and handlers belong to the play."""
    role, items = _load(name, options, scope, site)
    _note(role, site.roles)
    return items


def include_role(name: TemplateText, options: Values, scope: Scope, site: Site) -> tuple[Item, ...]:
    """The tasks of a role that a task includes; its variables are its own, its handlers the play's."""
    role, items = _load(name, options, scope, site)
    _note(role, site.included)
    return items


def _note(role: Role | None, among: list[Role]) -> None:
    """Add `role` unless the same one is there: its variables, handlers and proofs count once."""
    if role is not None and not any((role.directory, role.parameters) == (o.directory, o.parameters) for o in among):
        among.append(role)


def _load(name: TemplateText, options: Values, scope: Scope, site: Site) -> tuple[Role | None, tuple[Item, ...]]:
    directory = find_role(name, site)
    if directory is None or _runs_in_circles(directory, name, scope, site, options):
        return None, ()
    meta = _read_meta(directory, site)
    before = _dependencies(meta, directory, scope, site)
    role = _read_role(name, directory, {}, meta, options, scope, site)
    return role, (*before, *_tasks(role, options, scope, site))


def tasks_file(name: TemplateText, options: Values, site: Site) -> Path | None:
    """The file with which the role `name` begins, or None when it has none (or does not exist)."""
    directory = find_role(name, site.anew())
    return next(_files(directory / "tasks", options.get("tasks_from", "main")), None) if directory else None


def find_role(name: TemplateText, site: Site) -> Path | None:
    """The folder of the role `name`; reports where it was searched when there is none."""
    if is_template(name):
        hint = "write include_role for a role that variables choose"
        site.problems.append(diagnostic("the name of a role cannot be a template here", name.position, hint=hint))
        return None
    places = list(dict.fromkeys(_role_places(site)))
    for folder in [place / str(name) for place in places]:
        if folder.is_dir():
            return folder
    detail = "Searched:\n" + "\n".join(f"  {place / str(name)}" for place in places)
    names = [folder.name for place in places if place.is_dir() for folder in place.iterdir() if folder.is_dir()]
    hint = suggestion(name, sorted(names))
    site.problems.append(diagnostic(f'there is no role "{name}"', name.position, detail=detail, hint=hint))
    return None


def _role_places(site: Site) -> Iterator[Path]:
    yield from (folder / "roles" for folder in site_folders(site.playbook_dir))
    yield from site.roles_paths
    bundled = bundled_site()
    if bundled is not None:
        yield bundled / "roles"
    yield site.playbook_dir


def _runs_in_circles(
    directory: Path, name: TemplateText, scope: Scope, site: Site, options: Values | None = None
) -> bool:
    first = next(_files(directory / "tasks", (options or {}).get("tasks_from", "main")), directory)
    if first not in scope.stack and directory not in scope.stack:
        return False
    way = " → ".join(str(path) for path in (*scope.stack[-5:], first))
    site.problems.append(diagnostic(f'role "{name}" needs itself', name.position, detail=way))
    return True


def _dependencies(meta: _Meta, directory: Path, scope: Scope, site: Site) -> tuple[Item, ...]:
    if meta.dependencies is None:
        return ()
    return read_roles(meta.dependencies, replace(scope, stack=(*scope.stack, directory)), site)


def _read_meta(directory: Path, site: Site) -> _Meta:
    node = _single(directory / "meta", "main", site)
    if node is not None and not isinstance(node, MappingNode | NullNode):
        site.problems.append(diagnostic("meta must be a mapping", node.position))
    main = node if isinstance(node, MappingNode) else MappingNode((), _nowhere(directory, node))
    for key, _value in main.items:
        if key not in _META_KEYS and (hint := suggestion(key, _META_KEYS)):
            site.problems.append(diagnostic(f'unknown key "{key}" in meta', key.position, hint=hint))
    duplicates = main.get("allow_duplicates")
    specs: Node | None = main
    if main.get("argument_specs") is None:
        specs = _single(directory / "meta", "argument_specs", site)
    return _Meta(
        dependencies=main.get("dependencies"),
        allow_duplicates=duplicates is not None and read_static_boolean(duplicates, site.problems) is True,
        argument_specs=_main_entry_point(specs, site),
    )


def _nowhere(directory: Path, node: Node | None) -> Position:
    return node.position if node is not None else Position(str(directory), 1, 1)


def _main_entry_point(node: Node | None, site: Site) -> dict[str, Any]:
    specs = node.get("argument_specs") if isinstance(node, MappingNode) else None
    if specs is None or isinstance(specs, NullNode):
        return {}
    main = specs.get("main") if isinstance(specs, MappingNode) else None
    if isinstance(specs, MappingNode) and main is None:
        return {}
    if not isinstance(main, MappingNode):
        site.problems.append(diagnostic("argument_specs must hold `main:` with `options:`", specs.position))
        return {}
    options = main.get("options")
    if options is not None and not isinstance(options, MappingNode | NullNode):
        site.problems.append(diagnostic("options must be a mapping", options.position))
        return {}
    value: dict[str, Any] = raw(main)
    return value


def _read_role(
    name: TemplateText,
    directory: Path,
    parameters: dict[str, Any],
    meta: _Meta,
    options: Values,
    scope: Scope,
    site: Site,
) -> Role:
    role = Role(
        name=str(name),
        directory=directory,
        defaults=_variables(directory / "defaults", options.get("defaults_from", "main"), site),
        variables=_variables(directory / "vars", options.get("vars_from", "main"), site),
        parameters=parameters,
        argument_specs=meta.argument_specs,
        where=name.position,
    )
    inside = replace(scope, role=role)
    return replace(
        role,
        handlers=_handlers(role, options.get("handlers_from", "main"), inside, site),
        verify=_items(role, "verify", "main", inside, site),
    )


def _handlers(role: Role, name: str, scope: Scope, site: Site) -> tuple[Task, ...]:
    files = list(_files(role.directory / "handlers", name))
    if not files:
        _refuse_missing(role.directory / "handlers", name, site)
    documents = [(file, site.document(file)) for file in files]
    return tuple(
        handler
        for file, node in documents
        if node is not None
        for handler in site.read_handlers(node, replace(scope, file=file, stack=(*scope.stack, file)))
    )


def _tasks(role: Role, options: Values, scope: Scope, site: Site) -> tuple[Item, ...]:
    return _items(role, "tasks", options.get("tasks_from", "main"), replace(scope, role=role), site)


def _items(role: Role, folder: str, name: str, scope: Scope, site: Site) -> tuple[Item, ...]:
    files = list(_files(role.directory / folder, name))
    if not files:
        _refuse_missing(role.directory / folder, name, site)
    return tuple(item for file in files for item in site.read_file(file, scope))


def _variables(folder: Path, name: str, site: Site) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    files = list(_files(folder, name))
    if not files:
        _refuse_missing(folder, name, site)
    for file in files:
        node = site.document(file)
        if node is not None:
            merged.update(read_variables(node, site.problems))
    return merged


def _refuse_missing(folder: Path, name: str, site: Site) -> None:
    """A file that somebody asked for by name (`tasks_from`) must be there; `main` need not."""
    if not isinstance(name, SourceText):
        return
    names = [file.stem for file in folder.glob("*.y*ml")] if folder.is_dir() else []
    hint = suggestion(name, names) or (f"it holds {', '.join(sorted(names))}" if names else "")
    site.problems.append(diagnostic(f'there is no "{name}" in {folder}', name.position, hint=hint))


def _files(folder: Path, name: str) -> Iterator[Path]:
    """`name`, `name.yml` or `name.yaml` in `folder`, or every file of the folder `name/`."""
    for suffix in _SUFFIXES:
        path = folder / f"{name}{suffix}"
        if path.is_file():
            yield path
            return
        if path.is_dir():
            yield from sorted(file for file in path.iterdir() if file.suffix in _SUFFIXES[1:])
            return


def _single(folder: Path, name: str, site: Site) -> Node | None:
    path = next(_files(folder, name), None)
    return site.document(path) if path is not None else None
