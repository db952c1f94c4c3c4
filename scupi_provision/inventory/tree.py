"""The groups and hosts of an inventory file, as they are written; crossing with accounts comes later."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from scupi_provision.errors import Position
from scupi_provision.inventory.names import expand_range, name_problem
from scupi_provision.inventory.variables import Problems, read_variables
from scupi_provision.source import MappingNode, Node, NullNode, diagnostic, suggestion
from scupi_provision.values import SourceText

_GROUP_KEYS = ("hosts", "vars", "children")
_IMPLICIT_GROUPS = ("all", "ungrouped")


@dataclass
class GroupDraft:
    """A group while the file is being read; the same group may be described in several places."""

    name: str
    where: Position
    hosts: set[str] = field(default_factory=set)
    children: dict[str, Position] = field(default_factory=dict)
    variables: dict[str, Any] = field(default_factory=dict)


@dataclass
class HostDraft:
    """A host while the file is being read."""

    name: str
    where: Position
    variables: dict[str, Any] = field(default_factory=dict)


@dataclass
class Tree:
    """Every group and host of one file, by name, in the order in which they first appear."""

    groups: dict[str, GroupDraft] = field(default_factory=dict)
    hosts: dict[str, HostDraft] = field(default_factory=dict)

    def group(self, name: str, where: Position) -> GroupDraft:
        """The group `name`, made when it is new."""
        return self.groups.setdefault(name, GroupDraft(name, where))

    def parents(self, name: str) -> list[str]:
        """The groups that have `name` as a child."""
        return [group.name for group in self.groups.values() if name in group.children]

    def depths(self) -> dict[str, int]:
        """How far below `all` each group is; the longest way counts, as in Ansible."""
        found = dict.fromkeys(self.groups, 1) | {"all": 0}
        changed = True
        while changed:
            changed = False
            for group in self.groups.values():
                for child in group.children:
                    if found.get(child, 1) <= found[group.name]:
                        found[child], changed = found[group.name] + 1, True
        return found

    def with_ancestors(self, names: set[str]) -> set[str]:
        """`names` and every group above them, without `all`."""
        found: set[str] = set()
        pending = set(names)
        while pending:
            name = pending.pop()
            if name not in found and name != "all":
                found.add(name)
                pending.update(self.parents(name))
        return found

    def groups_of(self, host: str) -> set[str]:
        """Every group that `host` is in, parents included, without `all`; `ungrouped` when there is none."""
        direct = {group.name for group in self.groups.values() if host in group.hosts and group.name != "all"}
        return self.with_ancestors(direct) or {"ungrouped"}

    def shape(self) -> tuple[dict[str, tuple[str, ...]], dict[str, tuple[str, ...]]]:
        """For each group the groups right below it, and the hosts right below it, in the order of the file."""
        children = {name: tuple(map(str, group.children)) for name, group in self.groups.items()}
        tops = [name for name in self.groups if name != "all" and not self.parents(name)]
        children["all"] = tuple(dict.fromkeys((*children.get("all", ()), *tops, "ungrouped")))
        hosts = {name: tuple(h for h in self.hosts if h in group.hosts) for name, group in self.groups.items()}
        hosts["ungrouped"] = tuple(host for host in self.hosts if self.groups_of(host) == {"ungrouped"})
        hosts["all"] = ()
        return children, hosts


def read_tree(document: MappingNode, problems: Problems) -> Tree:
    """Read every top-level group of `document` (the key `accounts` is not a group)."""
    tree = Tree()
    tree.group("all", document.position)
    for key, node in document.items:
        if key == "accounts":
            continue
        if key in _GROUP_KEYS:
            hint = f"put it below a group:\n    all:\n      {key}:"
            problems.append(diagnostic(f'"{key}" stands outside of any group', key.position, hint=hint))
            continue
        _read_group(tree, key, node, problems)
    _refuse_cycles(tree, problems)
    for name in sorted(tree.groups.keys() & tree.hosts.keys()):
        where = tree.hosts[name].where
        problems.append(diagnostic(f'"{name}" is the name of both a group and a host', where))
    return tree


def _read_group(tree: Tree, name: SourceText, node: Node, problems: Problems) -> None:
    if problem := name_problem(name):
        problems.append(diagnostic(f'group name "{name}" {problem}', name.position))
        return
    group = tree.group(str(name), name.position)
    if isinstance(node, NullNode):
        return
    if not isinstance(node, MappingNode):
        problems.append(diagnostic(f'group "{name}" must be a mapping of hosts, vars and children', node.position))
        return
    for key, value in node.items:
        if key == "hosts":
            _read_hosts(tree, group, value, problems)
        elif key == "vars":
            group.variables.update(read_variables(value, problems))
        elif key == "children":
            _read_children(tree, group, value, problems)
        else:
            hint = suggestion(key, _GROUP_KEYS) or "a group has hosts, vars and children"
            problems.append(diagnostic(f'unknown key "{key}" in group "{name}"', key.position, hint=hint))


def _read_children(tree: Tree, group: GroupDraft, node: Node, problems: Problems) -> None:
    if isinstance(node, NullNode):
        return
    if not isinstance(node, MappingNode):
        hint = "end each name with a colon: `name:`"
        problems.append(diagnostic("children must be a mapping of group names", node.position, hint=hint))
        return
    for key, value in node.items:
        group.children.setdefault(str(key), key.position)
        _read_group(tree, key, value, problems)


def _read_hosts(tree: Tree, group: GroupDraft, node: Node, problems: Problems) -> None:
    if isinstance(node, NullNode):
        return
    entries: tuple[tuple[SourceText, Node], ...]
    if isinstance(node, MappingNode):
        entries = node.items
    elif isinstance(node, SourceText):
        entries = ((node, NullNode(node.position)),)
    else:
        hint = "end each name with a colon: `name:`"
        problems.append(diagnostic("hosts must be a mapping of host names", node.position, hint=hint))
        return
    for key, value in entries:
        variables = read_variables(value, problems, what=f'what follows host "{key}"')
        for name in _host_names(key, problems):
            host = tree.hosts.setdefault(name, HostDraft(name, key.position))
            host.variables.update(variables)
            group.hosts.add(name)


def _host_names(pattern: SourceText, problems: Problems) -> list[str]:
    try:
        names = expand_range(str(pattern))
    except ValueError as error:
        problems.append(diagnostic(f'host "{pattern}": {error}', pattern.position))
        return []
    for name in names:
        if problem := name_problem(name):
            problems.append(diagnostic(f'host name "{name}" {problem}', pattern.position))
            return []
    return names


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
