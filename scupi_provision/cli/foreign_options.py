"""Options of ansible-playbook that provision does not have: each is answered by what to do here."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Annotated

import typer

from scupi_provision.errors import InputError

_NO_ROOT = "there is no becoming another user: everything is done as the account itself, without root"
_NO_ROOT_HINT = "leave it away; `provision lint` names the tasks that need root"
_LOGIN = "how a host is reached is told by the inventory, not by options"
_PLUGINS = "modules and plugins from elsewhere are not loaded: nothing but sh runs on the hosts"


def _flag(*names: str) -> typer.models.OptionInfo:
    option: typer.models.OptionInfo = typer.Option(*names, hidden=True)
    return option


@dataclass(frozen=True)
class Foreign:
    """What people's fingers know from Ansible."""

    check_mode: Annotated[bool, _flag("--check", "-C")] = False
    become: Annotated[bool, _flag("--become", "-b")] = False
    become_user: Annotated[str | None, _flag("--become-user")] = None
    become_method: Annotated[str | None, _flag("--become-method")] = None
    ask_become_pass: Annotated[bool, _flag("--ask-become-pass", "-K")] = False
    ask_pass: Annotated[bool, _flag("--ask-pass", "-k")] = False
    timeout: Annotated[str | None, _flag("--timeout", "-T")] = None
    ssh_common_args: Annotated[str | None, _flag("--ssh-common-args")] = None
    ssh_extra_args: Annotated[str | None, _flag("--ssh-extra-args")] = None
    module_path: Annotated[str | None, _flag("--module-path", "-M")] = None
    flush_cache: Annotated[bool, _flag("--flush-cache")] = False
    step: Annotated[bool, _flag("--step")] = False


_ANSWERS = {
    "check_mode": ("apply changes hosts, and has no --check", "`provision check` says exactly what apply would change"),
    "become": (_NO_ROOT, _NO_ROOT_HINT),
    "become_user": (_NO_ROOT, _NO_ROOT_HINT),
    "become_method": (_NO_ROOT, _NO_ROOT_HINT),
    "ask_become_pass": (_NO_ROOT, _NO_ROOT_HINT),
    "ask_pass": (
        "nobody has to say beforehand that there are passwords",
        "a server that wants one is asked for at the terminal",
    ),
    "timeout": (_LOGIN, "`provision_login_timeout: SECONDS` there is how long login files may take"),
    "ssh_common_args": (_LOGIN, "`jump:` of the inventory names the way; docs/inventory.md has the other settings"),
    "ssh_extra_args": (_LOGIN, "`jump:` of the inventory names the way; docs/inventory.md has the other settings"),
    "module_path": (_PLUGINS, "`provision doc` lists the modules that there are"),
    "step": (
        "--step is not supported: a play goes to a host as a whole",
        "`check` says what each task would do; --start-at-task, --tags and --limit run a part",
    ),
}
"""What is said, and what to do instead. Of `flush_cache` nothing: facts are read anew in every run."""


def refuse_foreign(given: Foreign, *, in_check: bool) -> None:
    """Answer options of Ansible that mean nothing here; `--check` of a check means itself.

    Raises:
        InputError: One was given.
    """
    for one in fields(given):
        if one.name in _ANSWERS and getattr(given, one.name) and not (in_check and one.name == "check_mode"):
            summary, hint = _ANSWERS[one.name]
            raise InputError(summary, hint=hint)
