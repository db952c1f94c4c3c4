"""The roles that plays and tasks use: in which order, how often, with what they depend on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from scupi_provision.playbook import known
from scupi_provision.playbook.context import RoleUse, Scope, Site
from scupi_provision.playbook.keyword_tables import ROLE_ENTRY
from scupi_provision.playbook.keywords import Values, inherit, read_keywords
from scupi_provision.playbook.models import Item, Role
from scupi_provision.playbook.role_files import Given, Meta, files_of, find_role, read_meta, read_role, role_tasks
from scupi_provision.playbook.scalars import check_identifier, kind_of
from scupi_provision.source import MappingNode, Node, NullNode, SequenceNode, diagnostic, implicit
from scupi_provision.values import SourceText, TemplateText


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
    given = Given()
    name: object = node
    if isinstance(node, MappingNode):
        values, rest = read_keywords(node, ROLE_ENTRY, known.ROLE_ENTRY_KEYWORDS, site.problems)
        name = values.get("role", values.get("name"))
        extra: dict[str, Any] = {key: implicit(value) for key, value in rest if check_identifier(key, site.problems)}
        given = Given(extra, values.pop("vars", {}))
    if not isinstance(name, SourceText) or not name.strip():
        site.problems.append(diagnostic("a role must be a name, or a mapping with `role: NAME`", node.position))
        return ()
    text = name if isinstance(name, TemplateText) else TemplateText(name, name.position)
    inside = replace(scope, inherited=inherit(scope.inherited, values))
    return _use(text, given, values, inside, site)


def _use(name: TemplateText, given: Given, values: Values, scope: Scope, site: Site) -> tuple[Item, ...]:
    directory = find_role(name, site, _beside(scope))
    if directory is None or _runs_in_circles(directory, name, scope, site):
        return ()
    meta = read_meta(directory, site)
    said = {"parameters": given.parameters, "vars": given.variables}  # where a value is given counts, as in Ansible
    use = RoleUse(directory, said, values.get("when", ()), values.get("tags", ()))
    if use in site.uses and not meta.allow_duplicates:
        return ()
    site.uses.append(use)
    role = read_role(name, directory, given, meta, {}, scope, site)
    before = _dependencies(meta, role, scope, site)
    site.roles.append(role)
    return (*before, *role_tasks(role, meta, {}, scope, site))


def import_role(name: TemplateText, options: Values, scope: Scope, site: Site) -> tuple[Item, ...]:
    """The tasks of a role that a task imports; its variables and handlers belong to the play."""
    if options.get("allow_duplicates") is False and _was_imported(name, options, scope, site):
        return ()
    role, items = _load(name, options, scope, site)
    _note(role, site.included if options.get("public") is False else site.roles)
    return items


def _was_imported(name: TemplateText, options: Values, scope: Scope, site: Site) -> bool:
    """Whether the play has imported this role in this way before; from here on it has."""
    directory = find_role(name, site.anew(), _beside(scope))
    if directory is None:  # reported by who reads it
        return False
    chosen = {key: str(value) for key, value in options.items() if key.endswith("_from")}
    use = RoleUse(directory, {"import_role": chosen}, scope.inherited.when, scope.inherited.tags)
    known_before = use in site.uses
    site.uses.append(use)
    return known_before


def _beside(scope: Scope) -> Path | None:
    """The folder with the role that depends on what is looked for."""
    return scope.parents[-1].directory.parent if scope.parents else None


def include_role(name: TemplateText, options: Values, scope: Scope, site: Site) -> tuple[Item, ...]:
    """The tasks of a role that a task includes; its variables are its own, its handlers the play's."""
    role, items = _load(name, options, scope, site)
    _note(role, site.included)
    if options.get("public") is True:
        _note(role, site.roles)
    return items


def _note(role: Role | None, among: list[Role]) -> None:
    """Add `role` unless the same one is there: its variables, handlers and proofs count once."""
    if role is not None and not any((role.directory, role.parameters) == (o.directory, o.parameters) for o in among):
        among.append(role)


def _load(name: TemplateText, options: Values, scope: Scope, site: Site) -> tuple[Role | None, tuple[Item, ...]]:
    directory = find_role(name, site)
    if directory is None or _runs_in_circles(directory, name, scope, site, options):
        return None, ()
    meta = read_meta(directory, site)
    # The role that includes another one counts as one that depends on it.
    inside = replace(scope, parents=(*scope.role.parents, scope.role) if scope.role is not None else ())
    role = read_role(name, directory, Given(), meta, options, inside, site)
    before = _dependencies(meta, role, inside, site)
    return role, (*before, *role_tasks(role, meta, options, scope, site))


def tasks_file(name: TemplateText, options: Values, site: Site) -> Path | None:
    """The file with which the role `name` begins, or None when it has none (or does not exist)."""
    directory = find_role(name, site.anew())
    return next(files_of(directory / "tasks", options.get("tasks_from", "main")), None) if directory else None


def _runs_in_circles(
    directory: Path, name: TemplateText, scope: Scope, site: Site, options: Values | None = None
) -> bool:
    first = next(files_of(directory / "tasks", (options or {}).get("tasks_from", "main")), directory)
    if first not in scope.stack and directory not in scope.stack:
        return False
    way = " → ".join(str(path) for path in (*scope.stack[-5:], first))
    site.problems.append(diagnostic(f'role "{name}" needs itself', name.position, detail=way))
    return True


def _dependencies(meta: Meta, role: Role, scope: Scope, site: Site) -> tuple[Item, ...]:
    if meta.dependencies is None:
        return ()
    parents = (*role.parents, role)
    return read_roles(meta.dependencies, replace(scope, stack=(*scope.stack, role.directory), parents=parents), site)
