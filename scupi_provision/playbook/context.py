"""What the readers of one site share: where to look, what modules there are, what has been found wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from scupi_provision.errors import Diagnostic, InputError
from scupi_provision.modules.contract import Module
from scupi_provision.playbook.models import Block, Include, Inherited, Item, Role, Task
from scupi_provision.playbook.scalars import Problems
from scupi_provision.source import Node, read_document

PREFIXES = ("ansible.builtin.", "ansible.legacy.", "scupi.provision.")


@dataclass(frozen=True)
class Scope:
    """Where the tasks that are being read stand.

    Attributes:
        file: The file of tasks.
        inherited: What they inherit from the levels above.
        role: The role that they belong to.
        parents: The roles that depend on the one that is being read, outermost first.
        handlers: Whether they are handlers.
        stack: The files that led here by import or include, outermost first.
    """

    file: Path
    inherited: Inherited = field(default_factory=Inherited)
    role: Role | None = None
    parents: tuple[Role, ...] = ()
    handlers: bool = False
    stack: tuple[Path, ...] = ()


@dataclass(frozen=True)
class RoleUse:
    """A role that a play has used, and how: the same use again does nothing (Ansible's rule)."""

    directory: Path
    parameters: dict[str, Any]
    when: tuple[Any, ...]
    tags: tuple[str, ...]


@dataclass
class Site:
    """One load: its places, its modules, and what it has found so far.

    Attributes:
        playbook_dir: The folder of the playbook that is being read.
        roles_paths: More folders with roles.
        modules: By every name that a playbook may write (without `ansible.builtin.`).
        read_items: Reads a list of tasks; given by the loader, so that tasks, includes and roles, which all hold
            one another, need not import one another.
        problems: Everything found wrong so far.
        uses: How roles were used so far in the current play.
        roles: The roles of the current play, in order of running.
        included: Roles that tasks of the current play include by a fixed name.
        documents: Files already read, or why they could not be.
        gaps: What could not be read or found. While there are any, nobody can say what is not defined.
    """

    playbook_dir: Path
    roles_paths: tuple[Path, ...]
    modules: Mapping[str, Module]
    read_items: Callable[[Node, Scope, Site], tuple[Item, ...]]
    problems: Problems = field(default_factory=list)
    uses: list[RoleUse] = field(default_factory=list)
    roles: list[Role] = field(default_factory=list)
    included: list[Role] = field(default_factory=list)
    documents: dict[Path, Node | InputError] = field(default_factory=dict)
    gaps: list[str] = field(default_factory=list)

    def anew(self) -> Site:
        """The same site, of which nothing wrong is known; what it learns about roles stays with it."""
        return replace(self, problems=[], uses=[*self.uses], roles=[*self.roles], included=[])

    def document(self, path: Path) -> Node | None:
        """The document at `path`, read once; None when it is not valid, which is reported."""
        if path not in self.documents:
            try:
                self.documents[path] = read_document(path)
            except InputError as error:
                self.documents[path] = error
                self.gaps.append(str(path))
        found = self.documents[path]
        if isinstance(found, InputError):
            self.report(found.diagnostics)
            return None
        return found

    def read_file(self, path: Path, scope: Scope) -> tuple[Item, ...]:
        """The tasks in the file at `path`."""
        document = self.document(path)
        if document is None:
            return ()
        return self.read_items(document, replace(scope, file=path, stack=(*scope.stack, path)), self)

    def read_handlers(self, node: Node, scope: Scope) -> tuple[Task | Include, ...]:
        """The handlers in `node`: tasks, and imports and includes of tasks."""
        found = self.read_items(node, replace(scope, handlers=True), self)
        return tuple(item for item in found if not isinstance(item, Block))

    def report(self, diagnostics: Iterable[Diagnostic]) -> None:
        """Add to the problems what is not known yet (a role used twice is wrong once)."""
        self.problems.extend(diagnostic for diagnostic in diagnostics if diagnostic not in self.problems)

    def module(self, name: str) -> Module | None:
        """The module that a playbook calls `name`, short or fully qualified."""
        return self.modules.get(short_name(name))


def short_name(name: str) -> str:
    """`ansible.builtin.copy` is `copy`."""
    for prefix in PREFIXES:
        if name.startswith(prefix):
            return name[len(prefix) :]
    return str(name)


def module_names(registry: Mapping[str, Module]) -> dict[str, Module]:
    """The modules of `registry` by name and by every alias."""
    names = {short_name(alias): module for module in registry.values() for alias in module.aliases}
    return {**names, **registry}


def in_reading_order(problems: Problems) -> Problems:
    """`problems` as somebody would meet them: file by file as they were read, each from its top, none twice."""
    files = list(dict.fromkeys(problem.where.file for problem in problems if problem.where))
    unique = list(dict.fromkeys(problems))
    return sorted(
        unique, key=lambda problem: (files.index(problem.where.file), problem.where) if problem.where else (-1,)
    )
