"""What the folder of a role holds: where it is searched, its variables, tasks, handlers, proof and meta."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from scupi_provision.errors import Position
from scupi_provision.playbook.context import Scope, Site
from scupi_provision.playbook.keywords import Values
from scupi_provision.playbook.models import Include, Item, Role, Task
from scupi_provision.playbook.scalars import is_template, read_static_boolean, read_variables
from scupi_provision.playbook.site import bundled_site, site_folders
from scupi_provision.playbook.validation import spec_of, validation
from scupi_provision.source import MappingNode, Node, NullNode, diagnostic, suggestion
from scupi_provision.values import SourceText, TemplateText

ANSIBLE_ROLES = ("~/.ansible/roles", "/usr/share/ansible/roles", "/etc/ansible/roles")
"""Where ansible-galaxy installs roles, and Ansible looks for them (its setting DEFAULT_ROLES_PATH)."""
_SUFFIXES = ("", ".yml", ".yaml")
_META_KEYS = ("dependencies", "allow_duplicates", "galaxy_info", "argument_specs", "collections")


@dataclass(frozen=True)
class Meta:
    """What `meta/` says."""

    dependencies: Node | None
    allow_duplicates: bool
    argument_specs: Node | None


def find_role(name: TemplateText, site: Site, beside: Path | None = None) -> Path | None:
    """The folder of the role `name`; reports where it was searched when there is none.

    Args:
        name: A name, or a path.
        site: Where to look.
        beside: The folder with the role that depends on it.
    """
    if is_template(name):
        hint = "write include_role for a role that variables choose"
        site.problems.append(diagnostic("the name of a role cannot be a template here", name.position, hint=hint))
        return None
    places = list(dict.fromkeys(_role_places(site, beside)))
    for folder in [*(place / str(name) for place in places), Path(name).expanduser()]:
        if folder.is_dir():
            return Path(os.path.normpath(folder)) if ".." in folder.parts else folder
    detail = "Searched:\n" + "\n".join(f"  {place / str(name)}" for place in places)
    names = [folder.name for place in places if place.is_dir() for folder in place.iterdir() if folder.is_dir()]
    hint = suggestion(name, sorted(names))
    site.gaps.append(str(name))
    site.problems.append(diagnostic(f'there is no role "{name}"', name.position, detail=detail, hint=hint))
    return None


def _role_places(site: Site, beside: Path | None) -> Iterator[Path]:
    yield from (folder / "roles" for folder in site_folders(site.playbook_dir))
    yield from site.roles_paths
    yield from (Path(folder).expanduser() for folder in ANSIBLE_ROLES)
    if beside is not None:
        yield beside
    bundled = bundled_site()
    if bundled is not None:
        yield bundled / "roles"
    yield site.playbook_dir


def read_meta(directory: Path, site: Site) -> Meta:
    """What the role in `directory` says about itself."""
    node = _single(directory / "meta", "main", site)
    if node is not None and not isinstance(node, MappingNode | NullNode):
        site.problems.append(diagnostic("meta must be a mapping", node.position))
    main = node if isinstance(node, MappingNode) else MappingNode((), _nowhere(directory, node))
    for key, _value in main.items:
        if key not in _META_KEYS:  # Ansible refuses these too
            hint = suggestion(key, _META_KEYS)
            site.problems.append(diagnostic(f'unknown key "{key}" in meta', key.position, hint=hint))
    duplicates = main.get("allow_duplicates")
    specs = _single(directory / "meta", "argument_specs", site)
    return Meta(
        dependencies=main.get("dependencies"),
        allow_duplicates=duplicates is not None and read_static_boolean(duplicates, site.problems) is True,
        argument_specs=_entry_points(specs if isinstance(specs, MappingNode) else main, site),
    )


def _nowhere(directory: Path, node: Node | None) -> Position:
    return node.position if node is not None else Position(str(directory), 1, 1)


def _entry_points(node: MappingNode, site: Site) -> Node | None:
    """The specifications by entry point (`main`, or a file of tasks); meta/argument_specs.yml goes before meta/main."""
    specs = node.get("argument_specs")
    if specs is None or isinstance(specs, NullNode):
        return None
    for entry in specs.items if isinstance(specs, MappingNode) else ():
        options = entry[1].get("options") if isinstance(entry[1], MappingNode) else None
        if options is not None and not isinstance(options, MappingNode | NullNode):
            site.problems.append(diagnostic("options must be a mapping", options.position))
            return None
        if not isinstance(entry[1], MappingNode):
            site.problems.append(diagnostic("argument_specs must hold `main:` with `options:`", entry[1].position))
            return None
    if not isinstance(specs, MappingNode):
        site.problems.append(diagnostic("argument_specs must hold `main:` with `options:`", specs.position))
        return None
    return specs


@dataclass(frozen=True)
class Given:
    """What a role is given where it is used.

    Attributes:
        parameters: The extra keys of its entry.
        variables: `vars:` of its entry.
    """

    parameters: dict[str, Any] = field(default_factory=dict)
    variables: dict[str, Any] = field(default_factory=dict)


def read_role(
    name: TemplateText,
    directory: Path,
    given: Given,
    meta: Meta,
    options: Values,
    scope: Scope,
    site: Site,
) -> Role:
    """The role in `directory` with its variables, handlers and proof; `options` are those of import_role."""
    role = Role(
        name=str(name),
        directory=directory,
        defaults=_variables(directory / "defaults", options.get("defaults_from", "main"), site),
        variables=_variables(directory / "vars", options.get("vars_from", "main"), site),
        parameters=given.parameters,
        given=given.variables,
        parents=scope.parents,
        argument_specs=spec_of(meta.argument_specs, str(options.get("tasks_from", "main"))),
        where=name.position,
    )
    inside = replace(scope, role=role)
    return replace(
        role,
        handlers=_handlers(role, options.get("handlers_from", "main"), inside, site),
        verify=_items(role, "verify", "main", inside, site),
    )


def _handlers(role: Role, name: str, scope: Scope, site: Site) -> tuple[Task | Include, ...]:
    files = list(files_of(role.directory / "handlers", name))
    if not files:
        _refuse_missing(role.directory / "handlers", name, site)
    documents = [(file, site.document(file)) for file in files]
    return tuple(
        handler
        for file, node in documents
        if node is not None
        for handler in site.read_handlers(node, replace(scope, file=file, stack=(*scope.stack, file)))
    )


def role_tasks(role: Role, meta: Meta, options: Values, scope: Scope, site: Site) -> tuple[Item, ...]:
    """The tasks of `role`, from `main` or from what `tasks_from` says, behind the one that judges its arguments."""
    entry = options.get("tasks_from", "main")
    tasks = _items(role, "tasks", entry, replace(scope, role=role), site)
    if options.get("rolespec_validate") is False:
        return tasks
    return (*validation(role, meta.argument_specs, str(entry), scope, site), *tasks)


def _items(role: Role, folder: str, name: str, scope: Scope, site: Site) -> tuple[Item, ...]:
    files = list(files_of(role.directory / folder, name))
    if not files:
        _refuse_missing(role.directory / folder, name, site)
    return tuple(item for file in files for item in site.read_file(file, scope))


def _variables(folder: Path, name: str, site: Site) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    files = list(files_of(folder, name))
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


def files_of(folder: Path, name: str) -> Iterator[Path]:
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
    path = next(files_of(folder, name), None)
    return site.document(path) if path is not None else None
