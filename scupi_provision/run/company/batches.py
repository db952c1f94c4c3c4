"""How a play goes over its hosts: in which order, how many at a time, and how strictly together."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from scupi_provision.errors import InputError
from scupi_provision.inventory.models import Host
from scupi_provision.playbook.models import Play
from scupi_provision.playbook.templating import Templar
from scupi_provision.source import diagnostic, suggestion
from scupi_provision.values import SourceText

T = TypeVar("T")

_STRATEGIES = ("linear", "free")
_OTHER_STRATEGIES = {
    "host_pinned": "`serial` limits how many hosts are at work, and `free` lets each of them go on by itself",
    "debug": "`provision check --diff` and `-vvv` show what a task sees",
}
_ORDERS = ("inventory", "reverse_inventory", "sorted", "reverse_sorted", "shuffle")


@dataclass(frozen=True)
class Manner:
    """How a play goes over its hosts.

    Attributes:
        free: `strategy: free`.
        order: As the keyword `order` has it.
        serial: The sizes of the batches, numbers or percentages as text; () is all hosts at once.
        most_failed: `max_fail_percentage`, or None.
    """

    free: bool = False
    order: str = "inventory"
    serial: tuple[int | str, ...] = ()
    most_failed: float | None = None


def manner_of(play: Play, extra: dict[str, Any]) -> Manner:
    """What the keywords of `play` say, templates rendered with its variables and `--extra-vars`.

    Raises:
        InputError: One of them cannot be so.
    """
    variables: dict[str, Any] = {}
    for mapping in (*play.variables, extra):
        variables |= mapping
    templar = Templar(variables)
    return Manner(
        free=_strategy(templar, play) == "free",
        order=_order(templar, play),
        serial=tuple(size for value in play.serial for size in _sizes(templar.render(value), value, play)),
        most_failed=_percentage(templar, play),
    )


def ordered(hosts: Sequence[Host], order: str) -> list[Host]:
    """`hosts`, which are in the inventory's order, as `order` has it."""
    if order == "shuffle":
        return random.sample(hosts, len(hosts))
    if order in {"sorted", "reverse_sorted"}:
        return sorted(hosts, key=lambda host: host.name, reverse=order == "reverse_sorted")
    return list(hosts) if order == "inventory" else list(reversed(hosts))


def batches(hosts: Sequence[T], serial: Sequence[int | str]) -> list[list[T]]:
    """`hosts` cut into batches of the sizes in `serial`, of which the last repeats.

    A percentage is one of all hosts, rounded down, but of one host at least; 0 and less mean all that are left.
    """
    found: list[list[T]] = []
    left = list(hosts)
    while left:
        size = _size(serial[min(len(found), len(serial) - 1)], len(hosts)) if serial else 0
        size = size if size > 0 else len(left)
        found.append(left[:size])
        left = left[size:]
    return found


def _size(size: int | str, whole: int) -> int:
    if isinstance(size, int):
        return size
    return int(float(size.removesuffix("%")) / 100 * whole) or 1


def _sizes(value: Any, written: Any, play: Play) -> list[int | str]:
    if isinstance(value, list | tuple):
        return [size for item in value for size in _sizes(item, written, play)]
    text = str(value).strip()
    if text.lstrip("-").isdecimal():
        return [int(text)]
    if text.endswith("%") and text[:-1].replace(".", "", 1).isdecimal():
        return [text]
    what = f'serial: "{value}" is neither a number of hosts nor a percentage'
    raise InputError.of([diagnostic(what, _place(written, play), hint='such as 2, "30%", or a list of both')])


def _strategy(templar: Templar, play: Play) -> str:
    if play.strategy is None:
        return "linear"
    name = templar.text(play.strategy).removeprefix("ansible.builtin.")
    if name in _STRATEGIES:
        return name
    summary = f'the strategy "{name}" is not supported' if name in _OTHER_STRATEGIES else f'unknown strategy "{name}"'
    hint = _OTHER_STRATEGIES.get(name) or suggestion(name, _STRATEGIES) or "linear (the default) and free are"
    raise InputError.of([diagnostic(summary, _place(play.strategy, play), hint=hint)])


def _order(templar: Templar, play: Play) -> str:
    name = templar.text(play.order) if play.order is not None else "inventory"
    if name in _ORDERS:
        return name
    hint = suggestion(name, _ORDERS) or f"one of {', '.join(_ORDERS)}"
    raise InputError.of([diagnostic(f'unknown order "{name}"', _place(play.order, play), hint=hint)])


def _percentage(templar: Templar, play: Play) -> float | None:
    if play.max_fail_percentage is None:
        return None
    value = templar.render(play.max_fail_percentage)
    try:
        return float(str(value).removesuffix("%"))
    except ValueError:
        where = _place(play.max_fail_percentage, play)
        raise InputError.of([diagnostic(f'max_fail_percentage: "{value}" is not a number', where)]) from None


def _place(value: Any, play: Play) -> Any:
    return value.position if isinstance(value, SourceText) else play.where
