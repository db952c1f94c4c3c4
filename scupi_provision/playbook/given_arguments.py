"""All arguments that a call gets: its own, those of a template as a whole, and `module_defaults`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from scupi_provision.errors import InputError
from scupi_provision.modules.contract import Module
from scupi_provision.playbook.arguments import VARIABLE
from scupi_provision.playbook.models import Task
from scupi_provision.playbook.module_defaults import with_defaults
from scupi_provision.source import diagnostic


def given_arguments(module: Module, task: Task, render: Callable[[Any], Any]) -> dict[str, Any]:
    """The arguments of `task`, raw but for those that come from `args: "{{ … }}"`, which are rendered for that.

    Raises:
        InputError: What should give arguments is no mapping.
        UnknownValueError: It depends on a program that has not run.
    """
    arguments = dict(task.arguments)
    whole = arguments.pop(VARIABLE, None)
    if whole is not None:
        found = render(whole)
        if not isinstance(found, Mapping):
            summary = f"a mapping of arguments is needed here, this is {type(found).__name__}"
            raise InputError.of([diagnostic(summary, whole.position)])
        arguments = {**{str(name): value for name, value in found.items()}, **arguments}
    return with_defaults(module, arguments, task.inherited.module_defaults)
