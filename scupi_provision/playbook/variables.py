"""Which definition of a variable wins, and where the others are."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from scupi_provision.errors import Position
from scupi_provision.values import SourceText


class Layer(enum.IntEnum):
    """Where a variable may be defined, weakest first.

    The order is that of "Understanding variable precedence" in Ansible's user guide (its level 1, command line values
    such as `-u`, defines no variables). Accounts are ours; loop variables and the tool's own are not in that list, but
    Ansible sets them last, so they win.
    """

    ROLE_DEFAULTS = enum.auto()
    INVENTORY_ALL = enum.auto()
    INVENTORY_GROUP = enum.auto()
    ALL_FILE = enum.auto()
    ALL_PLAYBOOK_FILE = enum.auto()
    GROUP_FILE = enum.auto()
    GROUP_PLAYBOOK_FILE = enum.auto()
    INVENTORY_HOST = enum.auto()
    HOST_FILE = enum.auto()
    HOST_PLAYBOOK_FILE = enum.auto()
    ACCOUNT = enum.auto()
    FACTS = enum.auto()
    PLAY_VARS = enum.auto()
    PLAY_PROMPTS = enum.auto()
    PLAY_VARS_FILES = enum.auto()
    ROLE_VARS = enum.auto()
    TASK_VARS = enum.auto()
    INCLUDE_VARS = enum.auto()
    SET_FACTS = enum.auto()
    ROLE_PARAMETERS = enum.auto()
    INCLUDE_PARAMETERS = enum.auto()
    EXTRA_VARS = enum.auto()
    MAGIC = enum.auto()
    LOOP = enum.auto()

    @property
    def title(self) -> str:
        """The layer in words, for people."""
        return _TITLES[self]


_TITLES = {
    Layer.ROLE_DEFAULTS: "role defaults",
    Layer.INVENTORY_ALL: "inventory, all",
    Layer.INVENTORY_GROUP: "inventory, group",
    Layer.ALL_FILE: "group_vars/all beside the inventory",
    Layer.ALL_PLAYBOOK_FILE: "group_vars/all beside the playbook",
    Layer.GROUP_FILE: "group_vars beside the inventory",
    Layer.GROUP_PLAYBOOK_FILE: "group_vars beside the playbook",
    Layer.INVENTORY_HOST: "inventory, host",
    Layer.HOST_FILE: "host_vars beside the inventory",
    Layer.HOST_PLAYBOOK_FILE: "host_vars beside the playbook",
    Layer.ACCOUNT: "inventory, account",
    Layer.FACTS: "facts",
    Layer.PLAY_VARS: "play vars",
    Layer.PLAY_PROMPTS: "play vars_prompt",
    Layer.PLAY_VARS_FILES: "play vars_files",
    Layer.ROLE_VARS: "role vars",
    Layer.TASK_VARS: "block and task vars",
    Layer.INCLUDE_VARS: "include_vars",
    Layer.SET_FACTS: "set_fact and register",
    Layer.ROLE_PARAMETERS: "role parameters",
    Layer.INCLUDE_PARAMETERS: "include parameters",
    Layer.EXTRA_VARS: "--extra-vars",
    Layer.MAGIC: "provision itself",
    Layer.LOOP: "loop variable",
}


@dataclass(frozen=True)
class Definition:
    """One place that gives a variable a value.

    Attributes:
        value: As written: a template in it is not rendered.
        place: Where a file defines it, or None.
        owner: The role, group, host or account that it is about, or "".
    """

    layer: Layer
    value: Any
    place: Position | None = None
    owner: str = ""


@dataclass(frozen=True)
class Entry:
    """What one place defines: `vars:` of a play, a file, the defaults of a role.

    Attributes:
        where: The place as a whole, for names that do not know their own.
        owner: As `Definition` has it.
    """

    layer: Layer
    variables: Mapping[str, Any]
    where: Position | None = None
    owner: str = ""


class VariableStore:
    """Variables of one host in one place of a play. Immutable: `layer` gives a new store and shares the mappings."""

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        """Take `entries` in any order of layers; within a layer, later ones win."""
        self._entries = tuple(sorted(entries, key=lambda entry: entry.layer))

    def layer(
        self, layer: Layer, variables: Mapping[str, Any], *, where: Position | None = None, owner: str = ""
    ) -> VariableStore:
        """This store with `variables` added to `layer`, above what that layer already has."""
        return VariableStore((*self._entries, Entry(layer, variables, where, owner))) if variables else self

    def combined(self) -> Mapping[str, Any]:
        """Every variable with its winning value, not rendered. Computed once; not to be changed."""
        return self._combined

    @cached_property
    def _combined(self) -> dict[str, Any]:
        combined: dict[str, Any] = {}
        for entry in self._entries:
            combined.update(entry.variables)
        return combined

    def definitions(self, name: str) -> list[Definition]:
        """Every definition of `name`, the winning one last, with its place when a file defines it."""
        found: list[Definition] = []
        for entry in self._entries:
            if name not in entry.variables:
                continue
            key = next(key for key in entry.variables if key == name)
            value = entry.variables[name]
            place = _place(key) or _place(value) or entry.where
            found.append(Definition(entry.layer, value, place, entry.owner))
        # A role's own variables come once more above those of the other roles.
        return [one for number, one in enumerate(found) if one not in found[number + 1 :]]


def _place(value: Any) -> Position | None:
    return value.position if isinstance(value, SourceText) else None
