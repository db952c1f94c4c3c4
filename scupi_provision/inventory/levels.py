"""The levels of an inventory's variables, by precedence, each with where it comes from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from scupi_provision.errors import Position
from scupi_provision.values import SourceText


class Level(Enum):
    """Where an inventory's variable may be defined, the weakest first.

    The order is VARIABLE_PRECEDENCE of ansible-core 2.19 (config/base.yml) for groups, then variables of hosts;
    accounts are ours.
    """

    ALL = "all, in the inventory"
    GROUP = "a group, in the inventory"
    ALL_FILE = "group_vars/all beside the inventory"
    ALL_PLAYBOOK_FILE = "group_vars/all beside the playbook"
    GROUP_FILE = "group_vars/ beside the inventory"
    GROUP_PLAYBOOK_FILE = "group_vars/ beside the playbook"
    HOST = "the host, in the inventory"
    IMPLICIT = "localhost, which no inventory names"
    HOST_FILE = "host_vars/ beside the inventory"
    HOST_PLAYBOOK_FILE = "host_vars/ beside the playbook"
    ACCOUNT = "the account, in the inventory"
    ACCOUNT_FILE = "host_vars/ of the account's host beside the inventory"
    ACCOUNT_PLAYBOOK_FILE = "host_vars/ of the account's host beside the playbook"


@dataclass(frozen=True)
class VariableLevel:
    """What one place says: a group's `vars:`, a host's, or one file.

    Attributes:
        level: Which kind of place.
        owner: The group, host or account that it is about.
        variables: Names to values as written; templates are not rendered.
        where: The place as a whole, for names that do not know their own.
    """

    level: Level
    owner: str
    variables: Mapping[Any, Any]
    where: Position

    def place(self, name: str) -> Position:
        """Where `name` is defined here."""
        found = next((key for key in self.variables if key == name), None)
        return found.position if isinstance(found, SourceText) else self.where
