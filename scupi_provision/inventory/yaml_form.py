"""An inventory in YAML: groups with `hosts`, `vars` and `children`."""

from __future__ import annotations

from scupi_provision.inventory.host_words import read_host_word
from scupi_provision.inventory.names import name_problem
from scupi_provision.inventory.tree import GroupDraft, Tree, assign
from scupi_provision.inventory.variables import Problems, read_variables
from scupi_provision.source import MappingNode, Node, NullNode, diagnostic, suggestion
from scupi_provision.values import SourceText

_GROUP_KEYS = ("hosts", "vars", "children")


def read_yaml(document: MappingNode, tree: Tree, problems: Problems) -> None:
    """Read every top-level group of `document` into `tree` (the key `accounts` is not a group)."""
    for key, node in document.items:
        if key == "accounts":
            continue
        if key in _GROUP_KEYS:
            hint = f"put it below a group:\n    all:\n      {key}:"
            problems.append(diagnostic(f'"{key}" stands outside of any group', key.position, hint=hint))
            continue
        _read_group(tree, key, node, problems)


def _read_group(tree: Tree, name: SourceText, node: Node, problems: Problems) -> None:
    if problem := name_problem(name):
        problems.append(diagnostic(f'group name "{name}" {problem}', name.position))
        return
    group = tree.group(name, name.position)
    if isinstance(node, NullNode):
        return
    if not isinstance(node, MappingNode):
        problems.append(diagnostic(f'group "{name}" must be a mapping of hosts, vars and children', node.position))
        return
    for key, value in node.items:
        if key == "hosts":
            _read_hosts(tree, group, value, problems)
        elif key == "vars":
            assign(group.variables, read_variables(value, problems))
        elif key == "children":
            _read_children(tree, group, value, problems)
        else:
            hint = suggestion(key, _GROUP_KEYS) or "a group has hosts, vars and children"
            problems.append(diagnostic(f'unknown key "{key}" in group "{name}"', key.position, hint=hint))


def _read_children(tree: Tree, group: GroupDraft, node: Node, problems: Problems) -> None:
    for key, value in _named(node, "children must be a mapping of group names", problems):
        _read_group(tree, key, value, problems)
        if key in tree.groups:
            group.children.setdefault(str(key), key.position)


def _read_hosts(tree: Tree, group: GroupDraft, node: Node, problems: Problems) -> None:
    for key, value in _named(node, "hosts must be a mapping of host names", problems):
        variables = read_variables(value, problems, what=f'what follows host "{key}"')
        names, login = read_host_word(key, problems)
        for name in names:
            tree.add_host(name, group, key.position, {**login, **variables})


def _named(node: Node, complaint: str, problems: Problems) -> tuple[tuple[SourceText, Node], ...]:
    """What stands below `hosts:` or `children:`, each with its name; one name alone may stand there as text."""
    if isinstance(node, MappingNode):
        return node.items
    if isinstance(node, SourceText):
        return ((node, NullNode(node.position)),)
    if not isinstance(node, NullNode):
        problems.append(diagnostic(complaint, node.position, hint="end each name with a colon: `name:`"))
    return ()
