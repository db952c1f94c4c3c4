"""Which definition of a variable wins, and where the others are."""

from __future__ import annotations

import enum
import shlex
from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from scupi_provision.errors import InputError, Position
from scupi_provision.source import implicit, read_document, read_text
from scupi_provision.values import SourceText, TemplateText


class Layer(enum.IntEnum):
    """Where a variable may be defined, weakest first, as Ansible documents it."""

    ROLE_DEFAULTS = enum.auto()
    INVENTORY_ALL = enum.auto()
    INVENTORY_GROUP = enum.auto()
    INVENTORY_HOST = enum.auto()
    FACTS = enum.auto()
    PLAY_VARS = enum.auto()
    PLAY_VARS_FILES = enum.auto()
    ROLE_VARS = enum.auto()
    BLOCK_VARS = enum.auto()
    TASK_VARS = enum.auto()
    INCLUDE_VARS = enum.auto()
    SET_FACTS = enum.auto()
    PARAMETERS = enum.auto()
    EXTRA_VARS = enum.auto()
    MAGIC = enum.auto()

    @property
    def title(self) -> str:
        """The layer in words, for people."""
        return _TITLES[self]


_TITLES = {
    Layer.ROLE_DEFAULTS: "role defaults",
    Layer.INVENTORY_ALL: "inventory, all",
    Layer.INVENTORY_GROUP: "inventory, group",
    Layer.INVENTORY_HOST: "inventory, host",
    Layer.FACTS: "facts",
    Layer.PLAY_VARS: "play vars",
    Layer.PLAY_VARS_FILES: "play vars_files",
    Layer.ROLE_VARS: "role vars",
    Layer.BLOCK_VARS: "block vars",
    Layer.TASK_VARS: "task vars",
    Layer.INCLUDE_VARS: "include_vars",
    Layer.SET_FACTS: "set_fact and register",
    Layer.PARAMETERS: "parameters of a role or include",
    Layer.EXTRA_VARS: "--extra-vars",
    Layer.MAGIC: "provision itself",
}

Definition = tuple[Layer, Any, "Position | None"]


class VariableStore:
    """Variables of one host in one place of a play. Immutable: `layer` gives a new store and shares the mappings."""

    def __init__(self, entries: Iterable[tuple[Layer, Mapping[str, Any]]] = ()) -> None:
        """Take `entries` in any order of layers; within a layer, later ones win."""
        self._entries: tuple[tuple[Layer, Mapping[str, Any]], ...] = tuple(sorted(entries, key=lambda entry: entry[0]))

    def layer(self, layer: Layer, variables: Mapping[str, Any]) -> VariableStore:
        """This store with `variables` added to `layer`, above what that layer already has."""
        return VariableStore((*self._entries, (layer, variables))) if variables else self

    def combined(self) -> Mapping[str, Any]:
        """Every variable with its winning value, not rendered. Computed once; not to be changed."""
        return self._combined

    @cached_property
    def _combined(self) -> dict[str, Any]:
        combined: dict[str, Any] = {}
        for _, variables in self._entries:
            combined.update(variables)
        return combined

    def definitions(self, name: str) -> list[Definition]:
        """Every definition of `name`, the winning one last, with its place when a file defines it."""
        found: list[Definition] = []
        for layer, variables in self._entries:
            for key, value in variables.items():
                if key == name:
                    found.append((layer, value, _place(key) or _place(value)))
        return found


def _place(value: Any) -> Position | None:
    return value.position if isinstance(value, SourceText) else None


def parse_extra_vars(options: Iterable[str]) -> dict[str, Any]:
    """The variables of `-e` options, later ones winning: `key=value …` (texts), `{"json": …}`, `@file.yml`.

    Raises:
        InputError: An option is none of these; its position counts characters of the option.
    """
    variables: dict[str, Any] = {}
    for option in options:
        text = option.strip()
        if text.startswith("@"):
            variables |= _mapping(implicit(read_document(Path(text[1:]).expanduser())), text)
        elif text.startswith(("{", "[")):
            variables |= _mapping(implicit(read_text(text, "--extra-vars")), text)
        else:
            variables |= _pairs(text)
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
