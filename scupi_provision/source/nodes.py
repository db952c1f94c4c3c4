"""What a document is made of."""

from __future__ import annotations

from dataclasses import dataclass

from scupi_provision.errors import Position
from scupi_provision.values import SourceText


@dataclass(frozen=True)
class NullNode:
    """An empty value (`key:`), or a plain `null` or `~`."""

    position: Position


@dataclass(frozen=True)
class SequenceNode:
    """A YAML list."""

    items: tuple[Node, ...]
    position: Position


@dataclass(frozen=True)
class MappingNode:
    """A YAML mapping; keys are scalars, in the order written, without duplicates."""

    items: tuple[tuple[SourceText, Node], ...]
    position: Position

    def get(self, key: str) -> Node | None:
        """The value of `key`, or None when it is not there."""
        return next((value for name, value in self.items if name == key), None)


Node = SourceText | SequenceNode | MappingNode | NullNode
"""Every scalar that is not a key is a TemplateText, except after `!unsafe`."""
