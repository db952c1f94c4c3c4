"""Changing the inventory file for somebody: one entry of `accounts:` goes in or out, every other byte stays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from scupi_provision.errors import InputError
from scupi_provision.inventory.pieces import Piece, pieces_of
from scupi_provision.inventory.spelling import quoted, spelled

_BY_HAND = "edit the file by hand; nothing was written"


@dataclass(frozen=True)
class NewEntry:
    """What is written below `accounts:`; the fields are those of `models.Account`."""

    id: str
    key: str
    name: str = ""
    groups: tuple[str, ...] = ()
    own_key: bool = False

    def fields(self) -> list[tuple[str, str]]:
        """Keys and spelled values, in the order in which they are written."""
        written = [("id", spelled(self.id)), ("key", spelled(self.key))]
        if self.name:
            written.append(("name", spelled(self.name)))
        if self.groups:
            written.append(("groups", f"[{', '.join(map(spelled, self.groups))}]"))
        if self.own_key:
            written.append(("access", "{own_key: true}"))
        return written

    def in_brackets(self) -> str:
        """The entry on one line, as JSON, which is YAML: for an inventory that is written in brackets."""
        written: list[tuple[str, str]] = [("id", quoted(self.id)), ("key", quoted(self.key))]
        if self.name:
            written.append(("name", quoted(self.name)))
        if self.groups:
            written.append(("groups", f"[{', '.join(map(quoted, self.groups))}]"))
        if self.own_key:
            written.append(("access", '{"own_key": true}'))
        return "{" + ", ".join(f'"{key}": {value}' for key, value in written) + "}"


def with_accounts(text: str, entries: tuple[NewEntry, ...]) -> str:
    """`text` with these entries at the end of `accounts:`, which is made when there is none.

    The new lines are indented as their neighbours are and end as they do; a missing last line break stays missing.

    Raises:
        InputError: `text` is no YAML, or of a shape that cannot be edited safely.
    """
    if not entries:
        return text
    root = pieces_of(text)
    rest, items = _accounts(text)
    wanted = (rest, [*items, *(_shape(piece) for piece in _read_entries(entries))])
    for edited in _ways_to_add(text, root, entries):
        if _quietly(edited) == wanted:
            return edited
    raise InputError("an entry cannot be added to this inventory", hint=_BY_HAND)


def without_account(text: str, identifier: str) -> str:
    """`text` without the lines of the entry `identifier`; comments before and after it stay.

    Raises:
        InputError: There is no such entry, or it cannot be taken out alone (an anchor in it is used elsewhere).
    """
    _root, sequence, index = _find(text, identifier)
    item = sequence.items[index]
    if sequence.flow:
        start, end = _cut_from_brackets(sequence, index)
    else:
        start, end = _first_line(text, sequence, index), _behind_line(text, item.end)
    edited = text[:start] + text[end:]
    rest, items = _accounts(text)
    if end == len(text) and not text.endswith("\n"):
        edited = edited.removesuffix("\n").removesuffix("\r")  # the last line ended without a break, and still does
    if _quietly(edited) != (rest, items[:index] + items[index + 1 :]):
        raise InputError(f"the entry of {identifier} cannot be taken out alone", hint=_BY_HAND)
    return edited


def with_key(text: str, identifier: str, key: str) -> str:
    """`text` with another `key:` in the entry `identifier`; comments behind it stay.

    Raises:
        InputError: There is no such entry, or its key is not written there as plain text.
    """
    root, sequence, index = _find(text, identifier)
    found = sequence.items[index].value("key")
    if found is None or found[1].kind != "scalar" or found[1].block or found[1].is_empty:
        raise InputError(f"the key of {identifier} cannot be changed in this inventory", hint=_BY_HAND)
    value = found[1]
    spelling = quoted(key) if sequence.items[index].flow else spelled(key)
    edited = text[: value.start] + spelling + text[value.end :]
    value.text = key
    if _quietly(edited) != _said_by(root):
        raise InputError(f"the key of {identifier} cannot be changed in this inventory", hint=_BY_HAND)
    return edited


def _read_entries(entries: tuple[NewEntry, ...]) -> list[Piece]:
    written = pieces_of("[" + ", ".join(entry.in_brackets() for entry in entries) + "]")
    return written.items if written else []


def _ways_to_add(text: str, root: Piece | None, entries: tuple[NewEntry, ...]) -> list[str]:
    """Texts to try, the usual one first; the second is for a text with something behind its document."""
    found = root.value("accounts") if root is not None and root.kind == "mapping" else None
    inline = ", ".join(entry.in_brackets() for entry in entries)
    if root is not None and root.flow and found is None:
        comma = ", " if root.items else ""
        at = root.items[-1].end if root.items else root.end - 1
        return [f'{text[:at]}{comma}"accounts": [{inline}]{text[at:]}']
    if found is None:
        column = root.column if root is not None else 0
        heading = [" " * column + "accounts:", *_lines(entries, column + 2, 2)]
        ends = [len(text)] + ([_behind_line(text, root.end)] if root is not None else [])
        blank = [""] if text.strip() else []
        return [_spliced(text, at, at, [*blank, *heading]) for at in ends]
    key, value = found
    if value.kind == "sequence" and value.flow:
        at = value.items[-1].end if value.items else value.end - 1
        return [text[:at] + (", " if value.items else "") + inline + text[at:]]
    if value.kind == "sequence":
        at = _behind_line(text, value.end)
        return [_spliced(text, at, at, _lines(entries, value.column, _key_offset(value)))]
    if value.kind == "scalar":  # `accounts:` with nothing, or a word for nothing, behind it
        before = text[: value.start].rstrip(" ") + text[value.end :]
        at = _behind_line(before, key.end)
        return [_spliced(before, at, at, _lines(entries, key.column + 2, 2))]
    return []


def _key_offset(sequence: Piece) -> int:
    """How far behind its dash the last entry that is a block begins."""
    columns = [item.column - sequence.column for item in sequence.items if item.kind == "mapping" and not item.flow]
    return max(columns[-1], 2) if columns else 2


def _lines(entries: tuple[NewEntry, ...], column: int, offset: int) -> list[str]:
    lines = []
    for entry in entries:
        for number, (key, value) in enumerate(entry.fields()):
            head = "-".ljust(offset) if number == 0 else " " * offset
            lines.append(f"{' ' * column}{head}{key}: {value}")
    return lines


def _spliced(text: str, start: int, end: int, lines: list[str]) -> str:
    """`lines` in place of what is between two beginnings of lines, with the line ends that the text has."""
    line_break = "\r\n" if "\r\n" in text[: text.find("\n") + 1] else "\n"
    before, behind = text[:start], text[end:]
    if before and not before.endswith("\n"):
        return before + line_break + line_break.join(lines) + behind
    return before + "".join(line + line_break for line in lines) + behind


def _behind_line(text: str, index: int) -> int:
    """Where the line ends that `index` is in; `index` itself at the beginning of one (behind a block scalar)."""
    if index and text[index - 1] == "\n":
        return index
    found = text.find("\n", index)
    return len(text) if found < 0 else found + 1


def _first_line(text: str, sequence: Piece, index: int) -> int:
    """The beginning of the line with the dash of an entry."""
    at = _behind_line(text, sequence.items[index - 1].end) if index else sequence.start - sequence.column
    while text[at : at + sequence.column].strip(" ") or text[at + sequence.column] != "-":
        at = _behind_line(text, at + 1)
    return at


def _cut_from_brackets(sequence: Piece, index: int) -> tuple[int, int]:
    """An entry and one of the commas beside it."""
    items = sequence.items
    if index + 1 < len(items):
        return items[index].start, items[index + 1].start
    return (items[index - 1].end if index else items[index].start), items[index].end


def _find(text: str, identifier: str) -> tuple[Piece, Piece, int]:
    root = pieces_of(text)
    found = root.value("accounts") if root is not None and root.kind == "mapping" else None
    if root is not None and found is not None and found[1].kind == "sequence":
        for index, item in enumerate(found[1].items):
            name = item.value("id") if item.kind == "mapping" else None
            if name is not None and name[1].text == identifier:
                return root, found[1], index
    raise InputError(f"the inventory has no entry for {identifier}", hint="see `provision inventory list`")


# --- what a text says, wherever it stands: an edit is believed only when this is as it should be --------------------


def _shape(piece: Piece) -> tuple[Any, ...]:
    return (piece.kind, piece.text, tuple(_shape(item) for item in piece.items))


def _accounts(text: str) -> tuple[list[Any], list[Any]]:
    """What the document says beside `accounts:`, and its entries."""
    return _said_by(pieces_of(text))


def _said_by(root: Piece | None) -> tuple[list[Any], list[Any]]:
    if root is None:
        return [], []
    if root.kind != "mapping":
        raise InputError("the inventory is not a mapping", hint="begin with `all:`")
    rest = [(_shape(key), _shape(value)) for key, value in root.pairs() if key.text != "accounts"]
    found = root.value("accounts")
    return rest, [_shape(item) for item in found[1].items] if found else []


def _quietly(text: str) -> tuple[list[Any], list[Any]] | None:
    try:
        return _accounts(text)
    except InputError:
        return None
