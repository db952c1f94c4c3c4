"""The rounds of a loop: the variables of each, and whether a further one is made."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from scupi_provision.errors import InputError
from scupi_provision.playbook.looping import loop_terms
from scupi_provision.playbook.models import Include, Loop, Task
from scupi_provision.playbook.templating import Templar
from scupi_provision.source import diagnostic
from scupi_provision.values import UnknownValue


def loop_variables(item: Task | Include, templar: Templar) -> list[dict[str, Any]]:
    """The variables of each round, one empty mapping without a loop.

    Raises:
        InputError: The loop is wrong.
        UnknownValueError: What is looped over is known only after apply.
    """
    loop = item.loop
    if loop is None:
        return [{}]
    items = _items(item, loop, templar)
    extended = _Extended(items, whole=templar.agrees(loop.extended_allitems)) if templar.agrees(loop.extended) else None
    return [_variables(loop, items, index, extended) for index in range(len(items))]


def pause_s(item: Task | Include, templar: Templar) -> float:
    """Seconds between two rounds (`loop_control: pause`).

    Raises:
        InputError: It is no number.
    """
    asked = item.loop.pause_s if item.loop else 0
    seconds = templar.render(asked) if asked else 0
    try:
        return max(float(seconds), 0.0)
    except (TypeError, ValueError):
        what = f"pause needs a number of seconds, this is {seconds!r}"
        raise InputError.of([diagnostic(what, getattr(asked, "position", item.where))]) from None


def _items(item: Task | Include, loop: Loop, templar: Templar) -> list[Any]:
    if loop.lookup:
        items: Any = loop_terms(loop.lookup, loop.items, templar, folder=loop.folder)
    else:
        items = templar.render(loop.items, allow_unknown=True)  # what is in an item has to be known where it is used
        if isinstance(items, UnknownValue):
            str(items)  # raises UnknownValueError with its reason
    if loop.flatten:
        items = _flattened(items)
    if not isinstance(items, list):
        what = f"loop needs a list, this is {type(items).__name__}"
        raise InputError.of([diagnostic(what, item.where, hint="a mapping becomes a list by `| dict2items`")])
    return items


def _variables(loop: Loop, items: Sequence[Any], index: int, extended: _Extended | None) -> dict[str, Any]:
    local: dict[str, Any] = {loop.variable: items[index], "ansible_loop_var": loop.variable}
    if loop.index_variable:
        local |= {loop.index_variable: index, "ansible_index_var": loop.index_variable}
    if extended is not None:
        local["ansible_loop"] = extended.at(index)
    return local


@dataclass(frozen=True)
class _Extended:
    """`ansible_loop`: where in the loop a round is."""

    items: Sequence[Any]
    whole: bool

    def at(self, index: int) -> dict[str, Any]:
        count = len(self.items)
        told: dict[str, Any] = {
            "index": index + 1,
            "index0": index,
            "revindex": count - index,
            "revindex0": count - index - 1,
            "first": index == 0,
            "last": index == count - 1,
            "length": count,
        }
        if self.whole:
            told["allitems"] = list(self.items)
        if index:
            told["previtem"] = self.items[index - 1]
        if index + 1 < count:
            told["nextitem"] = self.items[index + 1]
        return told


def _flattened(items: Any) -> list[Any]:
    """As `with_items` has it: no list is a list of one, and lists within are opened, one level."""
    return list(_opened(items))


def _opened(items: Any) -> Iterator[Any]:
    for item in _listed(items):
        yield from _listed(item)


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]
