"""Values by chance: the same within a run (a play is planned more than once), and not known to a check."""

# ruff: noqa: S311 - Ansible's filters make no secrets

from __future__ import annotations

import random
import secrets
from collections.abc import Callable, Iterable
from typing import Any

from jinja2 import pass_context
from jinja2.runtime import Context

from scupi_provision.playbook.templating.failures import TemplateFailure
from scupi_provision.values import UnknownValue

_CHANCE = secrets.token_hex(16)
"""What this run has of its own."""


def is_check(context: Context) -> bool:
    """Whether nothing is going to be done: then nobody can know what chance will give."""
    return context.resolve("ansible_check_mode") is True


@pass_context
def pick(context: Context, end: Any, start: Any = None, step: Any = None, seed: Any = None) -> Any:
    """A number from `start` below `end`, or an item of the list `end`."""
    if seed is None and is_check(context):
        return UnknownValue("chance (the filter random)")
    dice = _dice(seed, end, start, step)
    if isinstance(end, int):
        return dice.randrange(start or 0, end, step or 1)
    if start is not None or step is not None:
        raise TemplateFailure("start and step are for numbers", hint="write {{ list | random }}")
    items = _listed(end, "random")
    if not items:
        raise TemplateFailure("random needs a list with something in it")
    return dice.choice(items)


@pass_context
def shuffle(context: Context, items: Any, seed: Any = None) -> Any:
    """The items in an order by chance."""
    if seed is None and is_check(context):
        return UnknownValue("chance (the filter shuffle)")
    made = _listed(items, "shuffle")
    _dice(seed, items).shuffle(made)
    return made


def _dice(seed: Any, *what: Any) -> random.Random:
    return random.Random(f"{_CHANCE} {what!r}" if seed is None else seed)


def _listed(value: Any, name: str) -> list[Any]:
    if not isinstance(value, Iterable):
        raise TemplateFailure(f"{name} needs a list or a number, not {value!r}")
    return list(value)


FILTERS: dict[str, Callable[..., Any]] = {"random": pick, "shuffle": shuffle}
