"""Lists of tasks: blocks, includes, and tasks with their module, arguments and keywords."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from scupi_provision.modules.contract import Module
from scupi_provision.playbook import includes, known
from scupi_provision.playbook.arguments import RAW, check_arguments
from scupi_provision.playbook.calls import Call, find_call, read_arguments
from scupi_provision.playbook.context import Scope, Site
from scupi_provision.playbook.keyword_tables import BLOCK, HANDLER, TASK
from scupi_provision.playbook.keywords import Values, inherit, read_keywords, refuse_unknown
from scupi_provision.playbook.loops import read_loop, take_loop
from scupi_provision.playbook.models import Block, Item, Task
from scupi_provision.playbook.module_defaults import with_defaults
from scupi_provision.playbook.scalars import kind_of
from scupi_provision.source import MappingNode, Node, NullNode, SequenceNode, diagnostic, suggestion
from scupi_provision.values import SourceText


def read_items(node: Node, scope: Scope, site: Site) -> tuple[Item, ...]:
    """The tasks in `node`, imports expanded and plain blocks flattened."""
    if isinstance(node, NullNode):
        return ()
    if not isinstance(node, SequenceNode):
        hint = 'begin each task with "- "'
        site.problems.append(
            diagnostic(f"a list of tasks is expected here, not {kind_of(node)}", node.position, hint=hint)
        )
        return ()
    return tuple(item for entry in node.items for item in _read_item(entry, scope, site))


def _read_item(node: Node, scope: Scope, site: Site) -> tuple[Item, ...]:
    if not isinstance(node, MappingNode) or not node.items:
        what = "this task is empty" if not isinstance(node, SourceText) else "a task must be a mapping, not text"
        hint = "write `- name: …` and the name of a module below it"
        site.problems.append(diagnostic(what, node.position, hint=hint))
        return ()
    for section in ("block", "rescue", "always"):
        if node.get(section) is not None:
            return _read_block(node, scope, site)
    return _read_task(node, scope, site)


def _read_block(node: MappingNode, scope: Scope, site: Site) -> tuple[Item, ...]:
    values, rest = read_keywords(node, BLOCK, known.BLOCK_KEYWORDS, site.problems)
    for key, _value in rest:
        refuse_unknown(key, BLOCK, site.problems, where=" of a block")
    body = node.get("block")
    if body is None:
        where = next(key for key, _ in node.items if key in {"rescue", "always"})
        site.problems.append(diagnostic(f'"{where}" needs a "block" beside it', where.position))
        return ()
    inside = replace(scope, inherited=inherit(scope.inherited, values))
    parts = [
        site.read_items(values[name], inside, site) if name in values else () for name in ("block", "rescue", "always")
    ]
    if isinstance(body, NullNode) or (isinstance(body, SequenceNode) and not body.items):
        site.problems.append(diagnostic("this block is empty", node.position))
    if not parts[1] and not parts[2]:
        return parts[0]
    if scope.handlers:
        site.problems.append(diagnostic("a handler cannot have rescue or always", node.position))
    return (Block(parts[0], parts[1], parts[2], node.position, values.get("name")),)


def _read_task(node: MappingNode, scope: Scope, site: Site) -> tuple[Item, ...]:
    table = HANDLER if scope.handlers else TASK
    values, rest = read_keywords(node, table, known.TASK_KEYWORDS, site.problems)
    call = find_call(node, values, take_loop(values, rest, site.problems), site)
    if call is None:  # reported; what it registers is kept in mind, so that it is not called undefined too
        return (Task(None, "", {}, node.position, register=values.get("register")),)
    if call.name in includes.STATEMENTS:
        return includes.read_statement(call, values, scope, site)
    if call.name == "meta":
        return _read_meta(call, values, scope, site)
    module = site.module(call.name)
    if module is None:
        return ()
    before = len(site.problems)
    arguments, positions = read_arguments(call, module, values.get("args"), site.problems)
    if len(site.problems) == before:  # what could not be read is not missing
        layers = inherit(scope.inherited, values).module_defaults
        whole = with_defaults(module, arguments, layers)
        site.problems.extend(check_arguments(module, whole, where=call.key.position, positions=positions))
    return (_task(module, arguments, positions, values, scope, site, node),)


def _task(
    module: Module,
    arguments: dict[str, Any],
    positions: dict[str, Any],
    values: Values,
    scope: Scope,
    site: Site,
    node: MappingNode,
) -> Task:
    inherited = inherit(scope.inherited, values)
    return Task(
        name=values.get("name"),
        module=module.name,
        arguments=arguments,
        where=node.position,
        inherited=inherited,
        role=scope.role,
        loop=read_loop(values, site.problems, module.name),
        register=values.get("register"),
        notify=inherited.notify,
        listen=values.get("listen", ()),
        changed_when=values.get("changed_when", ()),
        failed_when=values.get("failed_when", ()),
        until=values.get("until", ()),
        retries=values.get("retries"),
        delay=values.get("delay", 5),
        async_s=values.get("async"),
        poll_s=values.get("poll"),
        argument_positions=positions,
    )


def _read_meta(call: Call, values: Values, scope: Scope, site: Site) -> tuple[Item, ...]:
    action = call.value
    if not isinstance(action, SourceText) or action not in known.META_ACTIONS:
        said = str(action) if isinstance(action, SourceText) else kind_of(action)
        if said in known.META_PENDING:
            summary, hint = f'meta action "{said}" is not supported yet', ""
        else:
            summary = f'unknown meta action "{said}"'
            hint = suggestion(said, sorted(known.META_ACTIONS))
            hint = hint or f"known are {', '.join(sorted(known.META_ACTIONS))}"
        site.problems.append(diagnostic(summary, action.position, hint=hint))
        return ()
    where = call.node.position
    inherited = inherit(scope.inherited, values)
    return (Task(values.get("name"), "meta", {RAW: action}, where, inherited=inherited, role=scope.role),)
