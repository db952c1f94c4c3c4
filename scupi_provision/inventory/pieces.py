"""Where the pieces of a YAML text stand, character by character, so that one of them can be changed alone.

Dumping a document again, even with comments kept, moves blanks, quotes and line breaks that nobody asked about. An edit
that is cut into the text at the right place cannot.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamStartEvent,
)

from scupi_provision.errors import InputError


@dataclass
class Piece:
    """A scalar, mapping, sequence or alias of a text.

    Attributes:
        kind: "scalar", "mapping", "sequence" or "alias".
        start: Index of its first character. Of a block sequence that is its first dash; of an empty scalar the index
            behind what stands before it.
        end: Index behind its last character; comments and blank lines after it are not counted.
        column: Of `start`, from 0.
        flow: Whether it is written in brackets.
        block: Whether it is a scalar below `|` or `>`.
        text: A scalar's value; an alias's anchor.
        items: Of a sequence its items; of a mapping keys and values in turn.
    """

    kind: str
    start: int
    end: int
    column: int
    flow: bool = False
    block: bool = False
    text: str = ""
    items: list[Piece] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        """Whether nothing is written there: the value of `accounts:` with nothing behind it."""
        return self.kind == "scalar" and self.start == self.end

    def pairs(self) -> Iterator[tuple[Piece, Piece]]:
        """A mapping's keys and values."""
        return zip(self.items[::2], self.items[1::2], strict=True)

    def value(self, name: str) -> tuple[Piece, Piece] | None:
        """The key `name` of a mapping and its value."""
        return next(((key, value) for key, value in self.pairs() if key.text == name), None)


def pieces_of(text: str) -> Piece | None:
    """The root of the only document in `text`, or None when there is nothing but comments.

    Raises:
        InputError: It is not YAML.
    """
    try:
        events = list(YAML(typ="safe", pure=True).parse(text))
    except (YAMLError, ValueError) as error:
        raise InputError("the inventory cannot be read as YAML", detail=str(error)) from error
    _refuse_lost_anchors(events)
    root: Piece | None = None
    open_pieces: list[Piece] = []
    behind = 0
    for event in events:
        if isinstance(event, StreamStartEvent | DocumentStartEvent):
            behind = event.end_mark.index
        elif isinstance(event, MappingEndEvent | SequenceEndEvent):
            closed = open_pieces.pop()
            closed.end = behind = event.end_mark.index if closed.flow else behind
        elif isinstance(event, ScalarEvent | AliasEvent | MappingStartEvent | SequenceStartEvent):
            piece = _piece(event, behind)
            behind = max(behind, piece.end)
            if open_pieces:
                open_pieces[-1].items.append(piece)
            else:
                root = piece
            if piece.kind in {"mapping", "sequence"}:
                open_pieces.append(piece)
    return None if root is None or root.is_empty else root


def _refuse_lost_anchors(events: list[Any]) -> None:
    known: set[str] = set()
    for event in events:
        anchor = getattr(event, "anchor", None)
        if isinstance(event, AliasEvent) and anchor not in known:
            raise InputError(f"*{anchor} is used in the inventory, but &{anchor} is nowhere before it")
        if anchor is not None:
            known.add(anchor)


def _piece(event: Any, behind: int) -> Piece:
    start, end, column = event.start_mark.index, event.end_mark.index, event.start_mark.column
    if isinstance(event, AliasEvent):
        return Piece("alias", start, end, column, text=str(event.anchor))
    if isinstance(event, ScalarEvent):
        if start == end:  # its marks are those of what comes next
            return Piece("scalar", behind, behind, column)
        return Piece("scalar", start, end, column, block=event.style in {"|", ">"}, text=event.value)
    kind = "mapping" if isinstance(event, MappingStartEvent) else "sequence"
    return Piece(kind, start, max(behind, end) if event.flow_style else behind, column, flow=bool(event.flow_style))
