"""Who is above and below whom, once an inventory has been read: ancestors, depths, members in Ansible's order."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from scupi_provision.inventory.tree import ALL, UNGROUPED, Tree


@dataclass(frozen=True)
class Lineage:
    """The relations in a settled tree."""

    tree: Tree

    @cached_property
    def parents(self) -> dict[str, list[str]]:
        """For each group those right above it."""
        found: dict[str, list[str]] = {name: [] for name in self.tree.groups}
        for group in self.tree.groups.values():
            for child in group.children:
                found[child].append(group.name)
        return found

    @cached_property
    def depths(self) -> dict[str, int]:
        """How far below `all` each group is; the longest way counts."""
        found = {ALL: 0}
        waiting = {name: len(above) for name, above in self.parents.items()}
        ready = [name for name, count in waiting.items() if not count]
        while ready:
            name = ready.pop()
            for child in self.tree.groups[name].children:
                found[child] = max(found.get(child, 0), found.get(name, 0) + 1)
                waiting[child] -= 1
                if not waiting[child]:
                    ready.append(child)
        return found

    @cached_property
    def _direct(self) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        for group in self.tree.groups.values():
            for host in group.hosts:
                found.setdefault(host, set()).add(group.name)
        return found

    def with_ancestors(self, names: Iterable[str]) -> set[str]:
        """`names` and every group above them, without `all`. A name that is no group has nothing above it."""
        found: set[str] = set()
        pending = [str(name) for name in names]
        while pending:
            name = pending.pop()
            if name not in found and name != ALL:
                found.add(name)
                pending.extend(self.parents.get(name, ()))
        return found

    def groups_of(self, host: str) -> set[str]:
        """Every group that `host` is in, parents included, without `all`; `ungrouped` when there is no other."""
        return self.with_ancestors(self._direct.get(host, ())) or {UNGROUPED}

    def hosts_of(self, group: str) -> tuple[str, ...]:
        """The hosts in `group` and below it: its own first, then those of its children, then of theirs."""
        found: dict[str, None] = {}
        seen = {group}
        generation = [group]
        while generation:
            for name in generation:
                found.update(self.tree.groups[name].hosts)
            below = dict.fromkeys(child for name in generation for child in self.tree.groups[name].children)
            generation = [name for name in below if name not in seen]
            seen.update(generation)
        return tuple(found)

    def shape(self) -> tuple[dict[str, tuple[str, ...]], dict[str, tuple[str, ...]]]:
        """For each group the groups right below it (`ungrouped` last), and the hosts right below it."""
        children = {name: tuple(group.children) for name, group in self.tree.groups.items()}
        children[ALL] = (*(name for name in children[ALL] if name != UNGROUPED), UNGROUPED)
        hosts = {name: tuple(group.hosts) for name, group in self.tree.groups.items()}
        hosts[ALL] = ()
        return children, hosts
