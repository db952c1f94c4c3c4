"""Places of a play in the order in which they are come to: step keys that can be compared."""

from __future__ import annotations

from scupi_provision.plan.company import AFTER
from scupi_provision.plan.models import StepKey

Place = tuple[tuple[int, int], ...]

_ORDER = {"tasks": 0, "tasks~": 1, "block": 0, "rescue": 1, "always": 2, "handlers": 0}
_INDEX, _PART, _AFTER = 0, 1, 2


def place_of(key: StepKey) -> Place:
    """Where the item `key` stands. What is inside of it comes later than the item, and `AFTER` it after all of that."""
    return tuple(_rank(part) for part in key)


def _rank(part: int | str) -> tuple[int, int]:
    if isinstance(part, int):
        return (_INDEX, part)
    return (_AFTER, 0) if part == AFTER else (_PART, _ORDER[part])
