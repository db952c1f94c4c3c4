"""An inventory as `ansible-inventory --list` and inventory scripts print it: JSON with lists of hosts, and `_meta`."""

from __future__ import annotations

from scupi_provision.inventory.host_words import read_host_word
from scupi_provision.inventory.names import name_problem
from scupi_provision.inventory.tree import GroupDraft, Tree, assign
from scupi_provision.inventory.variables import Problems, read_variables
from scupi_provision.source import MappingNode, Node, NullNode, SequenceNode, diagnostic
from scupi_provision.values import SourceText

_META = "_meta"
_KEYS = ("hosts", "vars", "children")


def is_listed(document: MappingNode) -> bool:
    """Whether `document` has this form: it has `_meta`, or hosts of a group are a list."""
    return document.get(_META) is not None or any(_has_list(node) for _name, node in document.items)


def _has_list(node: Node) -> bool:
    return isinstance(node, MappingNode) and any(
        isinstance(node.get(key), SequenceNode) for key in ("hosts", "children")
    )


def read_listed(document: MappingNode, tree: Tree, problems: Problems) -> None:
    """Read every group of `document` into `tree`, and then the variables of hosts in `_meta`."""
    for name, node in document.items:
        if name != _META:
            _read_group(tree, name, node, problems)
    meta = document.get(_META)
    hostvars = meta.get("hostvars") if isinstance(meta, MappingNode) else None
    for name, node in hostvars.items if isinstance(hostvars, MappingNode) else ():
        host = tree.hosts.get(str(name))
        if host is None:
            problems.append(diagnostic(f'{_META} has variables of "{name}", which is in no group', name.position))
        else:
            assign(host.variables, read_variables(node, problems))


def _read_group(tree: Tree, name: SourceText, node: Node, problems: Problems) -> None:
    if problem := name_problem(name):
        problems.append(diagnostic(f'group name "{name}" {problem}', name.position))
        return
    group = tree.group(name, name.position)
    if isinstance(node, SequenceNode):
        _add_hosts(tree, group, node, problems)
    elif isinstance(node, MappingNode):
        for key, _value in node.items:
            if key not in _KEYS:
                hint = f"a group has {', '.join(_KEYS)}"
                problems.append(diagnostic(f'unknown key "{key}" in group "{name}"', key.position, hint=hint))
        _add_hosts(tree, group, node.get("hosts"), problems)
        assign(group.variables, read_variables(node.get("vars"), problems))
        for child in _texts(node.get("children"), problems):
            tree.group(child, child.position)
            group.children.setdefault(str(child), child.position)
    elif not isinstance(node, NullNode):
        problems.append(diagnostic(f'group "{name}" must be a list of hosts or a mapping', node.position))


def _add_hosts(tree: Tree, group: GroupDraft, node: Node | None, problems: Problems) -> None:
    for word in _texts(node, problems):
        names, login = read_host_word(word, problems)
        for name in names:
            tree.add_host(name, group, word.position, login)


def _texts(node: Node | None, problems: Problems) -> list[SourceText]:
    if node is None or isinstance(node, NullNode):
        return []
    items = node.items if isinstance(node, SequenceNode) else (node,)
    found = [item for item in items if isinstance(item, SourceText)]
    if len(found) != len(items):
        problems.append(diagnostic("a list of names is needed here", node.position))
    return found
