"""The layers of variables that stand before any task is looked at, in Ansible's order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from scupi_provision.inventory.models import Host
from scupi_provision.playbook.models import Play, Role
from scupi_provision.playbook.play_variables import load_vars_file
from scupi_provision.playbook.templating import Templar
from scupi_provision.playbook.variables import Entry, Layer
from scupi_provision.values import SourceText

_INVENTORY_LAYERS = {
    "ALL": Layer.INVENTORY_ALL,
    "GROUP": Layer.INVENTORY_GROUP,
    "ALL_FILE": Layer.ALL_FILE,
    "ALL_PLAYBOOK_FILE": Layer.ALL_PLAYBOOK_FILE,
    "GROUP_FILE": Layer.GROUP_FILE,
    "GROUP_PLAYBOOK_FILE": Layer.GROUP_PLAYBOOK_FILE,
    "HOST": Layer.INVENTORY_HOST,
    "IMPLICIT": Layer.INVENTORY_HOST,
    "HOST_FILE": Layer.HOST_FILE,
    "HOST_PLAYBOOK_FILE": Layer.HOST_PLAYBOOK_FILE,
}


def before_tasks(
    play: Play, host: Host, role: Role | None, facts: Mapping[str, Any], answers: Mapping[str, Any]
) -> Iterator[Entry]:
    """Every definition that a task of `role` sees before its own keywords count.

    Args:
        play: Where the task is.
        host: Where it runs.
        role: The role it belongs to, whose own variables win over those of other roles.
        facts: Facts as variables (`magic.fact_variables`).
        answers: What a person has said to `vars_prompt`.
    """
    yield from _defaults(play, role)
    yield from _inventory(host)
    yield Entry(Layer.FACTS, facts)
    yield from _play(play)
    yield Entry(Layer.PLAY_PROMPTS, answers)
    yield from _role_variables(play, role)


def _defaults(play: Play, role: Role | None) -> Iterator[Entry]:
    for one in (*play.roles, *_line(role)):
        yield Entry(Layer.ROLE_DEFAULTS, one.defaults, owner=one.name)


def _role_variables(play: Play, role: Role | None) -> Iterator[Entry]:
    """`vars/` of every role of the play; to a role also what it, and each role above it, is given."""
    for one in play.roles:
        yield Entry(Layer.ROLE_VARS, one.variables, owner=one.name)
    if role is None:
        return
    for parent in role.parents:
        yield Entry(Layer.ROLE_VARS, parent.given, parent.where, parent.name)
        yield Entry(Layer.ROLE_VARS, parent.variables, owner=parent.name)
    yield Entry(Layer.ROLE_VARS, role.variables, owner=role.name)
    yield Entry(Layer.ROLE_VARS, role.given, role.where, role.name)


def _line(role: Role | None) -> tuple[Role, ...]:
    return (*role.parents, role) if role is not None else ()


def _inventory(host: Host) -> Iterator[Entry]:
    variables = host.variables
    if variables.levels:
        for level in variables.levels:
            layer = _INVENTORY_LAYERS.get(level.level.name, Layer.ACCOUNT)
            yield Entry(layer, level.variables, level.where, level.owner)
        return
    yield Entry(Layer.INVENTORY_ALL, variables.all)
    yield Entry(Layer.INVENTORY_GROUP, variables.groups)
    yield Entry(Layer.INVENTORY_HOST, variables.host)


def _play(play: Play) -> Iterator[Entry]:
    """`vars:`, then the files that were read with the playbook: those have names from elsewhere."""
    for mapping in play.variables:
        key = next(iter(mapping), None)
        elsewhere = isinstance(key, SourceText) and key.position.file != play.where.file
        yield Entry(Layer.PLAY_VARS_FILES if elsewhere else Layer.PLAY_VARS, mapping, play.where)


def play_files(play: Play, templar: Templar) -> Iterator[Entry]:
    """The files of `vars_files` that a template names; the templar sees everything weaker.

    Raises:
        InputError: There is no such file, or it is wrong.
        UnknownValueError: Which file it is depends on a program that has not run.
    """
    for file in play.vars_files:
        yield Entry(Layer.PLAY_VARS_FILES, load_vars_file(file, templar.text), file.where)
