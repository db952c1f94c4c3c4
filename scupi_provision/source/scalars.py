"""Python values for nodes that no schema declares.

Deviation from PyYAML, documented: dates (`2024-01-01`), sexagesimals (`10:30`) and grouped digits (`1_000`) stay text.
"""

from __future__ import annotations

import re
from typing import Any

from scupi_provision.source.nodes import MappingNode, Node, NullNode, SequenceNode
from scupi_provision.values import SourceFloat, SourceInt, SourceText

_TRUE = frozenset({"yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"})
_FALSE = frozenset({"no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"})
_INTEGER = re.compile(
    r"(?P<sign>[-+]?)(?:0b(?P<binary>[01]+)|0x(?P<hex>[0-9a-fA-F]+)|0(?P<octal>[0-7]+)|(?P<decimal>0|[1-9][0-9]*))"
)
_BASES = {"binary": 2, "hex": 16, "octal": 8, "decimal": 10}
_FLOAT = re.compile(
    r"[-+]?[0-9]+\.[0-9]*(?:[eE][-+][0-9]+)?|\.[0-9]+(?:[eE][-+][0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"
)
# Python refuses to convert more digits, and no playbook means such a number.
_MOST_DIGITS = 1000


def implicit(node: Node) -> Any:
    """The value of `node` as YAML 1.1 types it, for variables that nothing declares.

    Plain scalars become booleans, `SourceInt` or `SourceFloat` (which print as written) where they look so; all other
    scalars, and quoted ones always, stay the text they are. Mappings become dicts (keys stay `SourceText`),
    sequences lists, null None.
    """
    if isinstance(node, MappingNode):
        return {key: implicit(value) for key, value in node.items}
    if isinstance(node, SequenceNode):
        return [implicit(item) for item in node.items]
    if isinstance(node, NullNode):
        return None
    return typed(node) if node.plain else node


def raw(node: Node) -> Any:
    """The value of `node` with every scalar left as text; used where a schema will type it (module arguments)."""
    if isinstance(node, MappingNode):
        return {key: raw(value) for key, value in node.items}
    if isinstance(node, SequenceNode):
        return [raw(item) for item in node.items]
    return None if isinstance(node, NullNode) else node


def typed(text: SourceText) -> bool | SourceInt | SourceFloat | SourceText:
    """A plain scalar as YAML 1.1 types it."""
    written = str.__str__(text)
    if written in _TRUE:
        return True
    if written in _FALSE:
        return False
    if len(written) > _MOST_DIGITS:
        return text
    if match := _INTEGER.fullmatch(written):
        kind = match.lastgroup or "decimal"
        value = int(match[kind], _BASES[kind])
        return SourceInt(-value if match["sign"] == "-" else value, written)
    if _FLOAT.fullmatch(written):
        return SourceFloat(float(written.lower().replace(".inf", "inf").replace(".nan", "nan")), written)
    return text
