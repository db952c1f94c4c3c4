"""Hosts and groups that tasks add to an inventory while a play runs: `add_host` and `group_by`."""

from __future__ import annotations

from collections.abc import Iterable

from scupi_provision.inventory.tree import NOWHERE, UNGROUPED, Tree, assign
from scupi_provision.modules.contract import Membership


def join(tree: Tree, joining: Iterable[Membership]) -> None:
    """Put what tasks have added into the tree of an inventory that has been read; hosts go by their base names."""
    for membership in joining:
        for name in membership.groups:
            group = tree.group(name, NOWHERE)
            tree.add_host(membership.host, group, NOWHERE, {})
            for parent in membership.parents:
                if parent != name:
                    tree.group(parent, NOWHERE).children.setdefault(name, NOWHERE)
        if not membership.groups and membership.host not in tree.hosts:
            tree.add_host(membership.host, tree.group(UNGROUPED, NOWHERE), NOWHERE, {})
        assign(tree.hosts[membership.host].variables, membership.variables)
