"""`loop`, `with_<lookup>` and `loop_control`."""

from __future__ import annotations

from typing import Any

from scupi_provision.playbook import known
from scupi_provision.playbook.keyword_tables import LOOP_CONTROL
from scupi_provision.playbook.keywords import Values, read_keywords, refuse_unknown
from scupi_provision.playbook.looping import lookup_names, short_lookup
from scupi_provision.playbook.models import Loop
from scupi_provision.playbook.scalars import Problems, is_template
from scupi_provision.source import MappingNode, Node, NullNode, SequenceNode, diagnostic, implicit, suggestion
from scupi_provision.values import SourceText

WITH = "with_"
Rest = list[tuple[SourceText, Node]]


def take_loop(values: Values, rest: Rest, problems: Problems) -> Rest:
    """Move the `with_<lookup>` among `rest` to `values`, under `with`; what is still left over."""
    left: Rest = []
    for key, node in rest:
        if not key.startswith(WITH):
            left.append((key, node))
        elif "with" in values or "loop" in values:
            other = values["with"][0] if "with" in values else "loop"
            problems.append(diagnostic(f"{other} and {key} cannot be used together", key.position))
        elif isinstance(node, NullNode):
            problems.append(diagnostic(f"{key} needs a value", key.position))
        elif short_lookup(key[len(WITH) :]) not in lookup_names():
            names = [f"{WITH}{name}" for name in lookup_names()]
            hint = suggestion(key, sorted(names)) or f"write `loop:`; there are {', '.join(sorted(names))}"
            problems.append(diagnostic(f'no lookup answers to "{key}"', key.position, hint=hint))
            values["with"] = (key, node)  # so that its items are not called undefined too
        else:
            values["with"] = (key, node)
    return left


def read_loop(values: Values, problems: Problems, module: str = "") -> Loop | None:
    """The loop that a task's keywords ask for; `module` is the one that the task calls."""
    control = _read_control(values.get("loop_control"), problems)
    if "loop" in values:
        return _controlled(Loop(_listed(values["loop"], problems)), control)
    if "with" in values:
        key, node = values["with"]
        return _controlled(_with(key, node, module), control)
    if "loop_control" in values:
        where = values["loop_control"].position
        problems.append(diagnostic("loop_control without a loop", where, hint="add `loop:`"))
    return None


def _with(key: SourceText, node: Node, module: str) -> Loop:
    name = short_lookup(key[len(WITH) :])
    if name == "items":
        items, flatten = _flattened(node)
        return Loop(items, flatten=flatten)
    return Loop(implicit(node), lookup=name, folder=_folder(module))


def _folder(module: str) -> str:
    """Where `with_first_found` looks first: as Ansible, by the name of the module that the task calls."""
    return next((f"{kind}s" for kind in ("template", "var", "file") if kind in module), "files")


def _controlled(loop: Loop, control: Values) -> Loop:
    """`loop` with what `loop_control` says of it."""
    given = {name: value for name, value in control.items() if value is not None}
    return Loop(
        items=loop.items,
        flatten=loop.flatten,
        lookup=loop.lookup,
        folder=loop.folder,
        variable=given.get("loop_var", loop.variable),
        index_variable=given.get("index_var"),
        label=given.get("label"),
        break_when=given.get("break_when", ()),
        extended=given.get("extended", loop.extended),
        extended_allitems=given.get("extended_allitems", loop.extended_allitems),
        pause_s=given.get("pause", loop.pause_s),
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


def _listed(node: Node, problems: Problems) -> Any:
    if not isinstance(node, SequenceNode) and not is_template(node):
        hint = 'write a list, or a template that gives one: "{{ names }}"'
        problems.append(diagnostic("loop needs a list", node.position, hint=hint))
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
