"""What YAML's own complaints mean for somebody who writes a playbook."""

from __future__ import annotations

import re
from typing import Any

from scupi_provision.errors import Diagnostic, Position
from scupi_provision.source.places import Lines, shown

QUOTE_TEMPLATE = 'quote the template: key: "{{ name }}"'
_BARE_TEMPLATE = re.compile(r"(?:[:-]|^)\s+\{[{%]|^\{[{%]")
_TAB_INDENT = re.compile(r" *\t")

# (part of libyaml's or PyYAML's wording, what to say, what to try, whether the place is where the construct began)
_COMPLAINTS: tuple[tuple[str, str, str, bool], ...] = (
    (
        "mapping values are not allowed",
        'a ":" stands where no key can be',
        'quote the value if the ":" belongs to it (msg: "foo: bar"), or align this line with the keys around it',
        False,
    ),
    (
        "character that cannot start any token",
        "a value cannot begin with this character",
        "quote the value",
        False,
    ),
    ("unexpected end of stream", "a quote is opened here and never closed", "add the closing quote", True),
    ("unexpected document separator", "a quote is opened here and never closed", "add the closing quote", True),
    (
        "unknown escape character",
        "there is no such escape in double quotes",
        "use single quotes, where a backslash is only a backslash",
        False,
    ),
    ("did not find expected ',' or ']'", 'a "[" is opened here and never closed', 'add "," or "]"', True),
    ("did not find expected ',' or '}'", 'a "{" is opened here and never closed', 'add "," or "}"', True),
    (
        "did not find expected '-' indicator",
        "this line is not part of the list above it",
        'begin it with "- ", or indent it like the keys above',
        False,
    ),
    (
        "did not find expected key",
        "this does not fit the lines above",
        "check the indentation, and quote values that contain quotes or braces",
        False,
    ),
    ("did not find expected node content", "a value cannot begin with this character", "quote the value", False),
    (
        "could not find expected ':'",
        'a key without ":"',
        'write "key: value", with a space after the colon',
        False,
    ),
    ("undefined tag handle", "unknown tag", "quote the value if the ! belongs to it", False),
    ("incompatible YAML document", "this YAML version is not supported", "remove the %YAML line", False),
    ("tab character", "a tab stands where spaces are expected", "indent with spaces", False),
)


def syntax_diagnostic(lines: Lines, error: Any) -> Diagnostic:
    """The diagnostic for a `yaml.MarkedYAMLError`, in a playbook author's words."""
    problem = str(error.problem or error.context or "not valid YAML")
    summary, hint, at_start = f"not valid YAML: {problem}", "", False
    for part, said, tried, begins in _COMPLAINTS:
        if part in problem:
            summary, hint, at_start = said, tried, begins
            break
    mark = (error.context_mark if at_start else error.problem_mark) or error.problem_mark or error.context_mark
    where = lines.position(mark.index if mark else 0)
    line = lines.line(where.line)
    if _TAB_INDENT.match(line):
        where = Position(where.file, where.line, line.index("\t") + 1)
        summary, hint = "a tab in the indentation", "indent with spaces"
    elif _BARE_TEMPLATE.search(line):
        summary, hint = "a template must stand in quotes", QUOTE_TEMPLATE
    return Diagnostic(summary, where, shown(line), "", hint)
