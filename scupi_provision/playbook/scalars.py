"""Keyword values: from nodes to booleans, conditions, names, numbers and variables, each error with its place."""

from __future__ import annotations

import re
from typing import Any

from scupi_provision.errors import Diagnostic, Position
from scupi_provision.source import MappingNode, Node, NullNode, SequenceNode, diagnostic, implicit, raw
from scupi_provision.values import SourceText, TemplateText

Problems = list[Diagnostic]
"""Everything found wrong so far; readers append and go on, so that all of it is reported together."""

_BOOLEANS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
_DECIMAL = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?")
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PYTHON_WORDS = frozenset(
    ["and", "or", "not", "in", "is", "if", "else", "true", "false", "none", "True", "False", "None"]
)


def unread(node: Node, _problems: Problems) -> Node:
    """`node` itself: left to the reader of the whole (tasks, roles, handlers)."""
    return node


def is_template(text: object) -> bool:
    """Whether `text` is source text with template syntax in it."""
    return isinstance(text, TemplateText) and ("{{" in text or "{%" in text or "{#" in text)


def is_whole_template(text: object) -> bool:
    """Whether `text` is one `{{ expression }}` and nothing else, as far as its ends tell."""
    return is_template(text) and str(text).strip().startswith("{{") and str(text).strip().endswith("}}")


def has_template(value: Any) -> bool:
    """Whether a raw value has template syntax anywhere in it (keys of mappings included)."""
    if isinstance(value, str):
        return is_template(value)
    if isinstance(value, dict):
        return any("{{" in key or has_template(item) for key, item in value.items())
    return isinstance(value, list) and any(has_template(item) for item in value)


def kind_of(node: Node) -> str:
    """What `node` is, for an error message."""
    names = {SequenceNode: "a list", MappingNode: "a mapping", NullNode: "nothing"}
    return next((name for kind, name in names.items() if isinstance(node, kind)), "text")


def as_template(text: SourceText) -> TemplateText:
    """`text` as a template; what `!unsafe` marks stays what it is, since its braces are never looked at."""
    return text if isinstance(text, TemplateText) else TemplateText(text, text.position, plain=text.plain)


def read_text_value(node: Node, problems: Problems) -> TemplateText | None:
    """One scalar."""
    if isinstance(node, SourceText):
        return as_template(node)
    problems.append(diagnostic(f"text is expected here, not {kind_of(node)}", node.position))
    return None


def read_optional_text(node: Node, problems: Problems) -> TemplateText | None:
    """One scalar, or nothing."""
    return None if isinstance(node, NullNode) else read_text_value(node, problems)


def read_texts(node: Node, problems: Problems) -> tuple[TemplateText, ...]:
    """One scalar or a list of scalars."""
    if isinstance(node, NullNode):
        return ()
    items = node.items if isinstance(node, SequenceNode) else (node,)
    texts = (read_text_value(item, problems) for item in items)
    return tuple(text for text in texts if text is not None)


def read_words(node: Node, problems: Problems) -> tuple[str, ...]:
    """Names: a list, or one text with commas (tags, listen)."""
    words = (word.strip() for text in read_texts(node, problems) for word in str(text).split(","))
    return tuple(word for word in words if word)


def read_boolean(node: Node, problems: Problems) -> TemplateText | bool | None:
    """true/false (also yes/no/on/off), or a template that gives one."""
    if isinstance(node, SourceText):
        if node.lower() in _BOOLEANS:
            return _BOOLEANS[node.lower()]
        if is_template(node):
            return as_template(node)
    problems.append(diagnostic("true or false is expected here", node.position))
    return None


def read_static_boolean(node: Node, problems: Problems) -> bool | None:
    """true/false, decided before any host is known."""
    value = read_boolean(node, problems)
    if isinstance(value, TemplateText):
        problems.append(diagnostic("true or false is expected here, not a template", node.position))
        return None
    return value


def read_number(node: Node, problems: Problems) -> TemplateText | int | None:
    """A whole number from 0, or a template that gives one."""
    if isinstance(node, SourceText):
        if node.isascii() and node.isdecimal() and len(node) < 10:
            return int(node)
        if is_template(node):
            return as_template(node)
    problems.append(diagnostic("a whole number is expected here", node.position))
    return None


def read_decimal(node: Node, problems: Problems) -> TemplateText | float | None:
    """A number from 0 (seconds), or a template that gives one."""
    if isinstance(node, SourceText):
        if _DECIMAL.fullmatch(node):
            return float(node) if "." in node else int(node)
        if is_template(node):
            return as_template(node)
    problems.append(diagnostic("a number is expected here", node.position))
    return None


def read_percentage(node: Node, problems: Problems) -> TemplateText | float | None:
    """A number from 0 to 100, with or without `%`, or a template that gives one."""
    if isinstance(node, SourceText):
        if _DECIMAL.fullmatch(node.removesuffix("%")):
            return float(node.removesuffix("%"))
        if is_template(node):
            return as_template(node)
    problems.append(diagnostic("a percentage is expected here", node.position, hint="write a number, or 30%"))
    return None


def read_sizes(node: Node, problems: Problems) -> tuple[TemplateText | int, ...]:
    """The sizes of batches: numbers, percentages as text, templates; one or a list."""
    found: list[TemplateText | int] = []
    for text in read_texts(node, problems):
        if text.isascii() and text.isdecimal():
            found.append(int(text))
        elif is_template(text) or _DECIMAL.fullmatch(text.removesuffix("%")):
            found.append(text)
        else:
            hint = "write a number of hosts, or a percentage such as 30%"
            problems.append(diagnostic(f'"{text}" is no size of a batch', text.position, hint=hint))
    return tuple(found)


def read_conditions(node: Node, problems: Problems) -> tuple[TemplateText | bool, ...]:
    """A condition or a list of conditions: expressions, or true/false."""
    items = node.items if isinstance(node, SequenceNode) else (node,)
    found: list[TemplateText | bool] = []
    for item in items:
        if not isinstance(item, SourceText) or not item.strip():
            summary = f"a condition is expected here, not {kind_of(item)}"
            problems.append(diagnostic(summary, item.position, hint="write an expression such as `x is defined`"))
        elif item.plain and item.lower() in _BOOLEANS:
            found.append(_BOOLEANS[item.lower()])
        else:
            found.append(as_template(item))
    return tuple(found)


def part_of(text: SourceText, part: str, start: int) -> TemplateText:
    """`part`, which begins at `start` within `text`, with its own place when `text` is on one line."""
    where = text.position
    if "\n" not in text:
        where = Position(where.file, where.line, where.column + start + (0 if text.plain else 1))
    return TemplateText(part, where, plain=text.plain)


def read_identifier(node: Node, problems: Problems) -> str | None:
    """The name of a variable."""
    text = read_text_value(node, problems)
    return check_identifier(text, problems) if text is not None else None


def check_identifier(text: SourceText, problems: Problems) -> str | None:
    """`text` when a variable can have it as its name."""
    if _IDENTIFIER.fullmatch(text) and text not in _PYTHON_WORDS:
        return str(text)
    hint = "a name has letters, digits and _, does not begin with a digit, and is not a word of the template language"
    problems.append(diagnostic(f'"{text}" cannot be the name of a variable', text.position, hint=hint))
    return None


def read_variables(node: Node, problems: Problems) -> dict[str, Any]:
    """Variables: names to values, typed as YAML 1.1 does."""
    return _read_mapping(node, problems, implicit)


def read_environment(node: Node, problems: Problems) -> dict[str, Any]:
    """Environment variables: names to texts as written. A list of mappings is merged, the later winning."""
    if isinstance(node, SequenceNode):
        merged: dict[str, Any] = {}
        for item in node.items:
            merged.update(read_environment(item, problems))
        return merged
    values = _read_mapping(node, problems, raw)
    for name, value in values.items():
        if isinstance(value, dict | list):
            problems.append(diagnostic(f'the environment variable "{name}" must be text', node.position))
    return values


def _read_mapping(node: Node, problems: Problems, convert: Any) -> dict[str, Any]:
    if isinstance(node, NullNode):
        return {}
    if not isinstance(node, MappingNode):
        hint = "write `name: value` lines"
        problems.append(diagnostic(f"a mapping is expected here, not {kind_of(node)}", node.position, hint=hint))
        return {}
    return {key: convert(value) for key, value in node.items if check_identifier(key, problems) is not None}
