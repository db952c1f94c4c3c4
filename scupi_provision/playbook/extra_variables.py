"""`--extra-vars`: the variables of the command line."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from scupi_provision.errors import InputError, Position
from scupi_provision.source import implicit, read_document, read_text
from scupi_provision.values import SourceText, TemplateText


def parse_extra_vars(options: Iterable[str]) -> dict[str, Any]:
    """The variables of `-e` options, later ones winning: `key=value …` (texts), `{"json": …}`, `@file.yml`.

    Raises:
        InputError: An option is none of these; its position counts characters of the option.
    """
    variables: dict[str, Any] = {}
    for option in options:
        text = option.strip()
        if text.startswith("@"):
            found = _mapping(implicit(read_document(Path(text[1:]).expanduser())), text)
        elif text.startswith(("{", "[")):
            found = _mapping(implicit(read_text(text, "--extra-vars")), text)
        else:
            found = _pairs(text)
        for name in found:
            variables.pop(name, None)  # a mapping keeps the old key, and with it the old place
        variables |= found
    return variables


def _mapping(value: Any, text: str) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise InputError(
            f"--extra-vars {text} is not a mapping of names to values", hint="write -e '{\"name\": value}'"
        )
    return value


def _pairs(text: str) -> dict[str, Any]:
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise InputError(f"--extra-vars {text}: {error}", hint="close the quote") from None
    made: dict[str, Any] = {}
    for word in words:
        name, equals, value = word.partition("=")
        column = max(text.find(name), 0) + 1
        if not equals or not name:
            raise InputError(
                f'--extra-vars: "{word}" is not key=value',
                where=Position("--extra-vars", 1, column),
                excerpt=text,
                hint="write -e name=value, -e '{\"name\": value}' or -e @file.yml",
            )
        where = Position("--extra-vars", 1, column + len(name) + 1)
        made[SourceText(name, Position("--extra-vars", 1, column), plain=True)] = TemplateText(value, where)
    return made
