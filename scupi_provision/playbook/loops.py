"""`loop`, `with_items` and `loop_control`."""

from __future__ import annotations

from typing import Any

from scupi_provision.playbook import known
from scupi_provision.playbook.keywords import LOOP_CONTROL, Values, read_keywords, refuse_unknown
from scupi_provision.playbook.models import Loop
from scupi_provision.playbook.scalars import Problems, is_template
from scupi_provision.source import MappingNode, Node, SequenceNode, diagnostic, implicit


def read_loop(values: Values, problems: Problems) -> Loop | None:
    """The loop that a task's keywords ask for."""
    node: Node | None = values.get("loop")
    items_node: Node | None = values.get("with_items")
    if node is not None and items_node is not None:
        problems.append(diagnostic("loop and with_items cannot be used together", items_node.position))
    control = _read_control(values.get("loop_control"), problems)
    if node is None and items_node is None:
        if "loop_control" in values:
            where = values["loop_control"].position
            problems.append(diagnostic("loop_control without a loop", where, hint="add `loop:`"))
        return None
    if node is not None:
        items, flatten = _listed(node, "loop", problems), False
    else:
        assert items_node is not None  # noqa: S101 - one of the two is there
        items, flatten = _flattened(items_node)
    return Loop(
        items=items,
        variable=control.get("loop_var") or "item",
        index_variable=control.get("index_var"),
        label=control.get("label"),
        flatten=flatten,
    )


def _read_control(node: Node | None, problems: Problems) -> Values:
    if node is None:
        return {}
    if not isinstance(node, MappingNode):
        problems.append(diagnostic("loop_control must be a mapping", node.position))
        return {}
    control, rest = read_keywords(node, LOOP_CONTROL, known.LOOP_CONTROL_KEYWORDS, problems)
    for key, _value in rest:
        refuse_unknown(key, LOOP_CONTROL, problems, where=" of loop_control")
    return control


def _listed(node: Node, keyword: str, problems: Problems) -> Any:
    if not isinstance(node, SequenceNode) and not is_template(node):
        hint = 'write a list, or a template that gives one: "{{ names }}"'
        problems.append(diagnostic(f"{keyword} needs a list", node.position, hint=hint))
        return []
    return implicit(node)


def _flattened(node: Node) -> tuple[Any, bool]:
    """What `with_items` goes over. Lists within the list are opened, here or (True) by who renders the templates."""
    value = implicit(node)
    if is_template(value):
        return value, True
    items = _as_list(value)
    if any(is_template(item) for item in items):
        return items, True
    return [inner for item in items for inner in _as_list(item)], False


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
