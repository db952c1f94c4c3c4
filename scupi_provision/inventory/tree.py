"""The groups and hosts of an inventory while its files are read, one after the other, into the same tree.

Orders are Ansible's: groups as they first appear, hosts as they are added to a group, children as they are joined.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from scupi_provision.errors import Position
from scupi_provision.inventory.variables import Problems
from scupi_provision.source import diagnostic

ALL = "all"
UNGROUPED = "ungrouped"
NOWHERE = Position("inventory", 1, 1)


@dataclass
class GroupDraft:
    """A group while files are being read; the same group may be described in several places."""

    name: str
    where: Position
    hosts: dict[str, None] = field(default_factory=dict)
    children: dict[str, Position] = field(default_factory=dict)
    variables: dict[Any, Any] = field(default_factory=dict)


@dataclass
class HostDraft:
    """A host while files are being read. `where` is the first place that names it."""

    name: str
    where: Position
    variables: dict[Any, Any] = field(default_factory=dict)


@dataclass
class Tree:
    """Every group and host so far, by name, in the order in which they first appeared."""

    groups: dict[str, GroupDraft] = field(default_factory=dict)
    hosts: dict[str, HostDraft] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.group(ALL, NOWHERE).children[UNGROUPED] = NOWHERE
        self.group(UNGROUPED, NOWHERE)

    def group(self, name: str, where: Position) -> GroupDraft:
        """The group `name`, made when it is new."""
        name = str(name)
        return self.groups.setdefault(name, GroupDraft(name, where))

    def add_host(self, name: str, group: GroupDraft, where: Position, variables: Mapping[Any, Any]) -> None:
        """Put the host `name` into `group`, with more variables; what is said later wins."""
        host = self.hosts.setdefault(name, HostDraft(name, where))
        assign(host.variables, variables)
        group.hosts[name] = None


def assign(variables: dict[Any, Any], more: Mapping[Any, Any]) -> None:
    """Put `more` into `variables`, names included: a name carries the place of the definition that holds."""
    for name, value in more.items():
        variables.pop(name, None)
        variables[name] = value


def settle(tree: Tree, problems: Problems) -> None:
    """What holds of every inventory once all of it is read: `all` is above everything, `ungrouped` has the rest."""
    _refuse_cycles(tree, problems)
    for name in sorted(tree.groups.keys() & tree.hosts.keys()):
        where = tree.hosts[name].where
        problems.append(diagnostic(f'"{name}" is the name of both a group and a host', where))
    below = {child for group in tree.groups.values() for child in group.children}
    top, rest = tree.groups[ALL], tree.groups[UNGROUPED]
    for group in tree.groups.values():
        if group.name not in below and group is not top:
            top.children[group.name] = group.where
    grouped = {host for group in tree.groups.values() if group not in (top, rest) for host in group.hosts}
    rest.hosts = {host: None for host in (*rest.hosts, *tree.hosts) if host not in grouped}


def _refuse_cycles(tree: Tree, problems: Problems) -> None:
    """Report each cycle once, and cut it, so that the rest of the inventory can still be checked."""
    finished: set[str] = set()
    for start in list(tree.groups):
        path = [start]
        pending = [list(tree.groups[start].children.items())]
        while path:
            if start in finished or not pending[-1]:
                finished.add(path.pop())
                pending.pop()
                continue
            child, where = pending[-1].pop(0)
            if child in path:
                way = " → ".join((*path[path.index(child) :], child))
                problems.append(diagnostic(f'group "{child}" is its own child', where, detail=way))
                del tree.groups[path[-1]].children[child]
            elif child in tree.groups and child not in finished:
                path.append(child)
                pending.append(list(tree.groups[child].children.items()))
