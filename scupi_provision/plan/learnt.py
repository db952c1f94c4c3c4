"""What a host has learnt in the plays before: it outlives a play, each kind with its own strength."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from scupi_provision.modules.set_fact import CACHEABLE


class Learnt(dict[str, Any]):
    """Registered values and those of set_fact, as a mapping; beside them what is weaker.

    Attributes:
        included: What include_vars has read.
        gathered: Facts that modules have brought.
    """

    def __init__(
        self, registered: Mapping[str, Any], *, included: Mapping[str, Any], gathered: Mapping[str, Any]
    ) -> None:
        super().__init__(registered)
        self.included = included
        self.gathered = gathered

    @classmethod
    def of(cls, known: Mapping[str, Any]) -> Learnt:
        """`known` itself, or as what has been registered."""
        return known if isinstance(known, Learnt) else cls(known, included={}, gathered={})

    def with_found(self, module: str, facts: Mapping[str, Any]) -> Learnt:
        """What is known once a task of `module` has found these facts."""
        found = Found.of(module, facts)
        return Learnt(
            {**self, **found.registered},
            included={**self.included, **found.included},
            gathered={**self.gathered, **found.gathered},
        )


@dataclass(frozen=True)
class Found:
    """What a task has found, by its strength (see `Learnt`)."""

    registered: Mapping[str, Any]
    included: Mapping[str, Any]
    gathered: Mapping[str, Any]

    @classmethod
    def of(cls, module: str, facts: Mapping[str, Any]) -> Found:
        """The facts of a task of `module`: that says how strong they are."""
        if module == "include_vars":
            return cls({}, facts, {})
        if module != "set_fact":
            return cls({}, {}, facts)
        named = {name: value for name, value in facts.items() if name != CACHEABLE}
        cached = {name.removeprefix("ansible_"): value for name, value in named.items()} if facts.get(CACHEABLE) else {}
        return cls(named, {}, cached)
