"""Values in an INI inventory: what Python reads as a literal is one, everything else is text."""

from __future__ import annotations

import ast
import re
import warnings
from typing import Any

from scupi_provision.errors import Position
from scupi_provision.source import Node
from scupi_provision.values import SourceFloat, SourceInt, SourceText, TemplateText

_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]*)")
_FLOAT = re.compile(r"[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
_MOST_DIGITS = 1000
"""Python refuses to convert more digits, and no inventory means such a number."""


def literal(node: Node) -> Any:
    """The value that the text `node` stands for: `5` is a number, `['a', 'b']` a list, `False` no, `yes` a text.

    Numbers keep the digits that were written, as in YAML. Texts may be templates, those inside of lists too.
    """
    if not isinstance(node, SourceText):
        raise TypeError(f"the values of an INI inventory are texts, not {type(node).__name__}")
    written = str(node)
    if len(written) <= _MOST_DIGITS and _INTEGER.fullmatch(written):
        return SourceInt(int(written), written)
    if len(written) <= _MOST_DIGITS and _FLOAT.fullmatch(written):
        return SourceFloat(float(written), written)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Python's advice about future syntax is not for an inventory
            value = ast.literal_eval(written)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return node
    return _settled(value, node.position)


def _settled(value: Any, where: Position) -> Any:
    """`value` made of what YAML has too: sets and tuples become lists, everything odd becomes text."""
    if isinstance(value, bool | int | float) or value is None:
        return value
    if isinstance(value, dict):
        return {str(key): _settled(item, where) for key, item in value.items()}
    if isinstance(value, list | tuple | set):
        return [_settled(item, where) for item in value]
    if isinstance(value, bytes):
        return TemplateText(value.decode(errors="replace"), where)
    return TemplateText("..." if value is ... else str(value), where)
