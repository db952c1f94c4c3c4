"""Which variables a text needs: so that a misspelled one is found before any host is asked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from jinja2 import nodes
from jinja2.exceptions import TemplateSyntaxError

from scupi_provision.errors import Position
from scupi_provision.playbook.templating.environment import environment, parsed_expression
from scupi_provision.playbook.templating.explain import explained
from scupi_provision.playbook.templating.places import Origin, names_in, place_in_scalar
from scupi_provision.playbook.templating.truth import unwrapped
from scupi_provision.values import TemplateText

_DEFAULTING = frozenset({"default", "d"})
_EMPTY: frozenset[str] = frozenset()


@dataclass(frozen=True)
class NameUse:
    """A variable that a text uses.

    Attributes:
        name: The variable.
        guarded: True when the text copes with its absence (`default`, `is defined` around or before it).
        text: The text, or the expression in it.
        offset: Where in `text` the name stands.
    """

    name: str
    guarded: bool
    text: TemplateText
    offset: int

    @property
    def position(self) -> Position:
        """Where the name stands in its file (which is read for this; only an error needs it)."""
        return place_in_scalar(self.text, self.offset)


def names_used(text: TemplateText, *, expression: bool) -> list[NameUse]:
    """The variables that `text` uses and does not set itself, in the order of the text.

    Args:
        text: A template, or with `expression` a bare condition as after `when:`.
        expression: Which of the two.

    Raises:
        InputError: `text` is not a valid template.
    """
    return names_used_in_conditions([text]) if expression else _uses(text, _parsed(text), expression=False)


def names_used_in_conditions(conditions: Sequence[TemplateText]) -> list[NameUse]:
    """As `names_used`, for conditions that are judged in order: `x is defined` guards `x` in those after it."""
    found: list[NameUse] = []
    guarded = _EMPTY
    for condition in map(unwrapped, conditions):
        expression = _parsed_condition(condition)
        found += _uses(condition, expression, expression=True, guarded=guarded)
        guarded |= _defined_if(expression, holds=True)
    return found


def _parsed(text: TemplateText) -> nodes.Node:
    try:
        return environment().parse(text)
    except (TemplateSyntaxError, RecursionError) as error:
        raise explained(error, Origin(text, scalar=text), ()) from None


def _parsed_condition(text: TemplateText) -> nodes.Expr:
    try:
        return parsed_expression(text)
    except (TemplateSyntaxError, RecursionError) as error:
        raise explained(error, Origin(text, scalar=text, expression=True), ()) from None


def _uses(text: TemplateText, root: nodes.Node, *, expression: bool, guarded: frozenset[str] = _EMPTY) -> list[NameUse]:
    offsets: dict[str, list[int]] = {}
    for token in names_in(text, expression=expression):
        if not token.part:
            offsets.setdefault(token.text, []).append(token.offset)
    seen: Counter[str] = Counter()
    found: list[NameUse] = []
    for name, is_guarded in _Walk().visit(root, guarded, _EMPTY):
        places = offsets.get(name, [0])
        offset = places[min(seen[name], len(places) - 1)]
        seen[name] += 1
        if is_guarded is not None:
            found.append(NameUse(name, is_guarded, text, offset))
    return sorted(found, key=lambda use: use.offset)


def _defined_if(test: nodes.Node, *, holds: bool) -> frozenset[str]:
    """The names that are certainly defined when `test` is true (or false, with `holds=False`)."""
    if isinstance(test, nodes.Not):
        return _defined_if(test.node, holds=not holds)
    if isinstance(test, nodes.And if holds else nodes.Or):
        return _defined_if(test.left, holds=holds) | _defined_if(test.right, holds=holds)
    if isinstance(test, nodes.Test) and test.name == ("defined" if holds else "undefined"):
        return frozenset(_names_below(test.node))
    return _EMPTY


def _names_below(node: nodes.Node) -> set[str]:
    found = {name.name for name in node.find_all(nodes.Name)}
    return found | {node.name} if isinstance(node, nodes.Name) else found


Sighting = tuple[str, "bool | None"]
"""A name and whether it is guarded; None when the template sets it itself (it counts as an occurrence only)."""


class _Walk:
    """Walks a template and yields its names in the order in which they are written.

    `guarded` are names known to be defined here, `own` names that the template sets itself.
    """

    def visit(self, node: nodes.Node, guarded: frozenset[str], own: frozenset[str]) -> Iterator[Sighting]:
        if isinstance(node, nodes.Name):
            free = node.ctx == "load" and node.name not in own and node.name not in environment().globals
            yield node.name, (node.name in guarded) if free else None
        elif isinstance(node, nodes.Filter):
            yield from self._filter(node, guarded, own)
        elif isinstance(node, nodes.Test) and node.name in ("defined", "undefined"):
            yield from self.visit(node.node, guarded | _names_below(node.node), own)
        elif isinstance(node, nodes.And | nodes.Or):
            yield from self.visit(node.left, guarded, own)
            known = _defined_if(node.left, holds=isinstance(node, nodes.And))
            yield from self.visit(node.right, guarded | known, own)
        elif isinstance(node, nodes.CondExpr):
            yield from self._choice(node, guarded, own)
        elif isinstance(node, nodes.If):
            yield from self._if(node, guarded, own)
        elif isinstance(node, nodes.For):
            yield from self._for(node, guarded, own)
        elif isinstance(node, nodes.Macro | nodes.CallBlock):
            arguments = {argument.name for argument in node.args} | {"caller", "varargs", "kwargs"}
            yield from self._block(list(node.iter_child_nodes()), guarded, own | arguments)
        else:
            yield from self._block(list(node.iter_child_nodes()), guarded, own)

    def _block(
        self, children: Iterable[nodes.Node], guarded: frozenset[str], own: frozenset[str]
    ) -> Iterator[Sighting]:
        for child in children:
            yield from self.visit(child, guarded, own)
            own |= _set_by(child)

    def _filter(self, node: nodes.Filter, guarded: frozenset[str], own: frozenset[str]) -> Iterator[Sighting]:
        if node.node is not None:
            absent = node.name in _DEFAULTING or _selects_defined(node)
            yield from self.visit(node.node, guarded | _names_below(node.node) if absent else guarded, own)
        known: frozenset[str] = _EMPTY
        if node.name == "ternary" and node.node is not None:  # its arguments are alternatives; undefined does no harm
            known = frozenset(name for argument in node.args for name in _names_below(argument))
        yield from self._block([*node.args, *node.kwargs], guarded | known, own)

    def _choice(self, node: nodes.CondExpr, guarded: frozenset[str], own: frozenset[str]) -> Iterator[Sighting]:
        yield from self.visit(node.expr1, guarded | _defined_if(node.test, holds=True), own)
        yield from self.visit(node.test, guarded, own)
        if node.expr2 is not None:
            yield from self.visit(node.expr2, guarded | _defined_if(node.test, holds=False), own)

    def _if(self, node: nodes.If, guarded: frozenset[str], own: frozenset[str]) -> Iterator[Sighting]:
        for branch in (node, *node.elif_):
            yield from self.visit(branch.test, guarded, own)
            yield from self._block(branch.body, guarded | _defined_if(branch.test, holds=True), own)
            guarded |= _defined_if(branch.test, holds=False)
        yield from self._block(node.else_, guarded, own)

    def _for(self, node: nodes.For, guarded: frozenset[str], own: frozenset[str]) -> Iterator[Sighting]:
        yield from self.visit(node.target, guarded, own)
        yield from self.visit(node.iter, guarded, own)
        inside = own | _names_below(node.target) | {"loop"}
        if node.test is not None:
            yield from self.visit(node.test, guarded, inside)
            guarded |= _defined_if(node.test, holds=True)
        yield from self._block(node.body, guarded, inside)
        yield from self._block(node.else_, guarded, own)


def _selects_defined(node: nodes.Filter) -> bool:
    wanted = {"select": "defined", "reject": "undefined"}.get(node.name)
    first = node.args[0] if node.args else None
    return wanted is not None and isinstance(first, nodes.Const) and first.value == wanted


def _set_by(node: nodes.Node) -> set[str]:
    """The names that a statement leaves behind; one set in only some branch counts too."""
    if isinstance(node, nodes.For | nodes.CallBlock | nodes.With | nodes.FilterBlock):
        return set()
    if isinstance(node, nodes.Macro):
        return {node.name}
    if isinstance(node, nodes.Import):
        return {node.target}
    if isinstance(node, nodes.FromImport):
        return {name if isinstance(name, str) else name[1] for name in node.names}
    if isinstance(node, nodes.Name):
        return {node.name} if node.ctx == "store" else set()
    return set().union(*map(_set_by, node.iter_child_nodes()))
