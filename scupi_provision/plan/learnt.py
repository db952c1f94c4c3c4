"""What a host has learnt in the plays before: it outlives a play, each kind with its own strength."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


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
        """What is known once a task of `module` has found these facts (as `PlayScope.learn`)."""
        registered, included, gathered = dict(self), self.included, self.gathered
        if module == "include_vars":
            included = {**included, **facts}
        elif module == "set_fact":
            registered |= facts
        else:
            gathered = {**gathered, **facts}
        return Learnt(registered, included=included, gathered=gathered)
