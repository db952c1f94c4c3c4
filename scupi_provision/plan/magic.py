"""The variables that are there without anybody defining them: Ansible's "special variables" and facts."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from scupi_provision.inventory.models import Host
from scupi_provision.playbook.models import Play, Role
from scupi_provision.playbook.templating import OMIT

ANSIBLE_VERSION = {"full": "2.19.0", "major": 2, "minor": 19, "revision": 0, "string": "2.19.0"}
"""The version of Ansible whose documentation we follow; playbooks ask for it to choose what they use."""


_PLACES = ("playbook_dir", "inventory_dir", "inventory_file")


def fact_variables(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Facts as variables: `ansible_facts` and, as Ansible injects them, `ansible_<name>`."""
    return {"ansible_facts": dict(facts), **{f"ansible_{name}": value for name, value in facts.items()}}


def magic_variables(host: Host, groups: Mapping[str, list[str]], **more: Any) -> dict[str, Any]:
    """The variables that provision itself defines for `host`."""
    made = {
        "inventory_hostname": host.name,
        "inventory_hostname_short": host.base.split(".")[0],
        "group_names": list(host.groups),
        "groups": dict(groups),
        "omit": OMIT,
        "ansible_version": ANSIBLE_VERSION,
        "ansible_playbook_python": sys.executable,
        "ansible_config_file": None,
        **more,
    }
    if "inventory_file" in made:
        made["ansible_inventory_sources"] = [_absolute(made["inventory_file"])]
    return {name: _absolute(value) if name in _PLACES else value for name, value in made.items()}


def _absolute(path: Any) -> str:
    return str(Path(str(path)).absolute())


def play_magic(play: Play) -> dict[str, Any]:
    """What a play says of itself."""
    named = list(dict.fromkeys(role.name for role in play.roles if not role.parents))
    needed = list(dict.fromkeys(role.name for role in play.roles if role.parents))
    return {
        "ansible_play_name": play.name,
        "ansible_play_role_names": named,
        "ansible_dependent_role_names": needed,
        "ansible_role_names": list(dict.fromkeys((*needed, *named))),
        "role_names": named,
    }


def role_magic(role: Role | None) -> dict[str, Any]:
    """What a role says of itself to its own tasks."""
    if role is None:
        return {}
    name = role_name(role)
    return {
        "role_path": _absolute(role.directory),
        "role_name": name,
        "ansible_role_name": name,
        "ansible_collection_name": None,
        **_parents(role),
    }


def _parents(role: Role) -> dict[str, Any]:
    """Who needs the role, innermost first; a role that nobody needs does not have these variables."""
    above = list(reversed(role.parents))
    if not above:
        return {}
    return {
        "ansible_parent_role_names": [role_name(parent) for parent in above],
        "ansible_parent_role_paths": [_absolute(parent.directory) for parent in above],
    }


def role_name(role: Role) -> str:
    """A role's name as it was written; of one that was named by its path, the last part."""
    return role.directory.name if role.name.startswith((".", "/", "~")) else role.name
