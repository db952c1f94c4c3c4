"""The variables that provision itself defines; those that tell of other hosts are asked for when they are used."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any


class MagicVariables(Mapping[str, Any]):
    """Some values as they are, others made whenever they are looked up."""

    def __init__(self, fixed: Mapping[str, Any], live: Mapping[str, Callable[[], Any]]) -> None:
        """Take both; `live` wins."""
        self._fixed = fixed
        self._live = live

    def __getitem__(self, name: str) -> Any:
        return self._live[name]() if name in self._live else self._fixed[name]

    def __contains__(self, name: object) -> bool:
        return name in self._live or name in self._fixed

    def __iter__(self) -> Iterator[str]:
        yield from self._fixed
        yield from (name for name in self._live if name not in self._fixed)

    def __len__(self) -> int:
        return len(self._fixed.keys() | self._live.keys())
