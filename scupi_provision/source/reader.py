"""From YAML text to nodes, event by event: nothing is constructed, nothing is typed, nothing recurses."""

from __future__ import annotations

import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from scupi_provision.errors import Diagnostic, InputError, Position
from scupi_provision.source.advice import QUOTE_TEMPLATE, syntax_diagnostic
from scupi_provision.source.nodes import MappingNode, Node, NullNode, SequenceNode
from scupi_provision.source.places import MAX_BYTES, Lines, shown
from scupi_provision.source.vaults import opened_document, opened_value, secretive, without_excerpts
from scupi_provision.values import SourceText, TemplateText
from scupi_provision.vault.keyring import DamagedVaultError

MAX_DEPTH = 50
MAX_ALIASED_NODES = 10_000
_MOST_DIAGNOSTICS = 20

_NOT_TEXT = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_CORE = "tag:yaml.org,2002:"
_TEXT_TAGS = frozenset({"!", _CORE + "str"})
_TYPE_TAGS = frozenset({_CORE + name for name in ("int", "float", "bool", "null")})
_VAULT_TAGS = frozenset({"!vault", "!vault-encrypted"})
_SCALAR_TAGS = _TEXT_TAGS | _TYPE_TAGS | _VAULT_TAGS | {"!unsafe"}


def read_document(path: Path) -> Node:
    """The one document in the file at `path`; an empty file is a NullNode.

    Raises:
        InputError: The file cannot be read, or is not a YAML document within our limits; all that could be found wrong
            is in its diagnostics.
    """
    name = str(path)
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            kind = "a directory" if path.is_dir() else "not a regular file"
            raise InputError(f"{name} is {kind}; a YAML file is needed")
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise InputError(f"there is no file {name}") from None
    except OSError as error:
        raise InputError(f"cannot read {name}: {error.strerror or error}") from None
    except ValueError:  # a NUL in the name
        raise InputError(f"{name!r} is not a file name") from None
    if len(data) > MAX_BYTES:
        raise InputError(f"{name} is larger than {MAX_BYTES:,} bytes", where=Position(name, 1, 1))
    return read_bytes(data, name)


def read_bytes(data: bytes, name: str) -> Node:
    """As `read_document`, of what the file called `name` holds; it may be a vault."""
    content, was_vault = opened_document(data, name)
    if not was_vault:
        return read_text(_decoded(data, name), name)
    try:
        return secretive(read_text(_decoded(content, name), name))
    except InputError as error:
        raise without_excerpts(error) from None


def read_text(text: str, name: str) -> Node:
    """The one document in `text`; `name` stands for the file in positions.

    Raises:
        InputError: As `read_document`.
    """
    text = text.removeprefix("\ufeff")
    lines = Lines(text, name)
    if len(text) > MAX_BYTES:
        raise InputError(f"{name} is larger than {MAX_BYTES:,} bytes", where=Position(name, 1, 1))
    if bad := _NOT_TEXT.search(text):
        where = lines.position(bad.start())
        raise InputError(
            f"a character that no YAML text may hold: U+{ord(bad[0]):04X}",
            where=where,
            excerpt=shown(lines.line(where.line)),
            hint='remove it, or write it as an escape in double quotes ("\\x1b")',
        )
    return _Builder(lines).document()


def _decoded(data: bytes, name: str) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in data[:4]:
        raise InputError(
            f"{name} is not UTF-8 (it looks like UTF-16)", where=Position(name, 1, 1), hint="save as UTF-8"
        )
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        lines = Lines(data[: error.start].decode("utf-8"), name)
        where = lines.position(len(lines.text))
        rest = data[error.start : error.start + 200].decode("utf-8", errors="replace").splitlines()[0]
        raise InputError(
            f"not UTF-8: byte 0x{data[error.start]:02x}",
            where=where,
            excerpt=shown(lines.line(where.line) + rest),
            hint="save the file as UTF-8",
        ) from None


@lru_cache(maxsize=1)
def _loader() -> Any:
    import yaml  # noqa: PLC0415 - start-up time: a run from a saved plan reads no YAML

    return getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass
class _Open:
    """A collection that is being read: its finished children, and for a mapping the key that waits for its value."""

    mapping: bool
    position: Position
    anchor: str | None
    items: list[Any] = field(default_factory=list)
    seen: dict[str, Position] = field(default_factory=dict)
    key: SourceText | None = None
    key_next: bool = True
    size: int = 1
    height: int = 1


class _Builder:
    """Builds nodes from events with an explicit stack, and collects what is wrong on the way."""

    def __init__(self, lines: Lines) -> None:
        self._lines = lines
        self._problems: list[Diagnostic] = []
        self._stack: list[_Open] = []
        # By anchor: the node, how many nodes it expands to, how deep it is. None while it is still open.
        self._anchors: dict[str, tuple[Node, int, int] | None] = {}
        self._aliased = 0
        self._root: Node | None = None
        self._documents = 0

    def document(self) -> Node:
        for event in self._events():
            self._handle(event)
            if len(self._problems) >= _MOST_DIAGNOSTICS:
                break
        if self._problems:
            raise InputError.of(self._problems)
        return self._root or NullNode(Position(self._lines.name, 1, 1))

    def _events(self) -> Iterator[Any]:
        from yaml import MarkedYAMLError  # noqa: PLC0415 - as _loader

        loader = _loader()(self._lines.text)
        try:
            while loader.check_event():
                yield loader.get_event()
        except MarkedYAMLError as error:
            found = syntax_diagnostic(self._lines, error)
            if not any(
                known.where and found.where and known.where.line == found.where.line for known in self._problems
            ):
                self._problems.append(found)
        finally:
            loader.dispose()

    def _handle(self, event: Any) -> None:
        kind = type(event).__name__
        if kind == "ScalarEvent":
            self._scalar(event)
        elif kind == "AliasEvent":
            self._alias(event)
        elif kind in ("MappingStartEvent", "SequenceStartEvent"):
            self._start(event, mapping=kind == "MappingStartEvent")
        elif kind in ("MappingEndEvent", "SequenceEndEvent"):
            self._end()
        elif kind == "DocumentStartEvent":
            self._documents += 1
            if self._documents > 1:
                self._stop(event, "more than one document in a file", 'remove the second "---" line')

    def _place(self, event: Any) -> Position:
        return self._lines.position(event.start_mark.index)

    def _problem(self, where: Position, summary: str, hint: str = "", detail: str = "") -> None:
        self._problems.append(Diagnostic(summary, where, shown(self._lines.line(where.line)), detail, hint))

    def _stop(self, event: Any, summary: str, hint: str = "") -> None:
        self._problem(self._place(event), summary, hint)
        raise InputError.of(self._problems)

    def _scalar(self, event: Any) -> None:
        position = self._place(event)
        plain = event.style in (None, "") and event.tag not in _TEXT_TAGS | _VAULT_TAGS
        plain = plain or event.tag in _TYPE_TAGS
        as_key = bool(self._stack) and self._stack[-1].mapping and self._stack[-1].key_next
        node: Node
        if plain and event.value in _NULLS and not as_key:
            node = NullNode(position)
        elif event.tag in _VAULT_TAGS and not as_key:
            node = self._secret(event.value, position)
        elif as_key or event.tag == "!unsafe":
            node = SourceText(event.value, position, plain=plain and event.tag != "!unsafe")
        else:
            node = TemplateText(event.value, position, plain=plain)
        self._check_tag(event, position, collection=False)
        self._add(node, event.anchor, size=1, height=0)

    def _secret(self, text: str, position: Position) -> Node:
        try:
            return opened_value(text, position, shown(self._lines.line(position.line)))
        except DamagedVaultError as error:
            self._problem(position, error.diagnostic.summary, error.diagnostic.hint)
            return NullNode(position)

    def _check_tag(self, event: Any, position: Position, *, collection: bool) -> None:
        tag = event.tag
        allowed = {_CORE + "map", _CORE + "seq", "!"} if collection else _SCALAR_TAGS
        if tag is None or tag in allowed:
            return
        shown_tag = tag.replace(_CORE, "!!")
        if tag in _VAULT_TAGS:
            self._problem(position, f"{tag} is for one text, not for a list or a mapping", "tag the texts inside it")
        elif tag == "!unsafe":
            self._problem(position, "!unsafe is for one text, not for a list or a mapping", "tag the texts inside it")
        elif "python/" in tag:
            self._problem(position, f"{shown_tag} is refused: a playbook makes no Python objects", "remove the tag")
        else:
            self._problem(position, f"unknown tag {shown_tag}", "remove it, or quote the value if the ! belongs to it")

    def _alias(self, event: Any) -> None:
        position = self._place(event)
        if event.anchor not in self._anchors:
            self._problem(position, f"no anchor &{event.anchor} above", "quote the value if the * belongs to it")
            self._add(NullNode(position), None, size=1, height=0, position=position)
            return
        known = self._anchors[event.anchor]
        if known is None:
            self._stop(event, f"*{event.anchor} stands inside what it repeats", "write the value out")
            return
        node, size, height = known
        self._aliased += size
        if self._aliased > MAX_ALIASED_NODES:
            self._stop(
                event, f"aliases repeat more than {MAX_ALIASED_NODES:,} values", "write fewer aliases of aliases"
            )
        if len(self._stack) + height > MAX_DEPTH:
            self._stop(event, f"nested deeper than {MAX_DEPTH} levels")
        self._add(node, None, size=size, height=height, position=position)

    def _start(self, event: Any, *, mapping: bool) -> None:
        position = self._place(event)
        if len(self._stack) >= MAX_DEPTH:
            self._stop(event, f"nested deeper than {MAX_DEPTH} levels")
        self._check_tag(event, position, collection=True)
        if event.anchor is not None:
            self._anchors[event.anchor] = None
        self._stack.append(_Open(mapping, position, event.anchor))

    def _end(self) -> None:
        done = self._stack.pop()
        kind = MappingNode if done.mapping else SequenceNode
        self._add(kind(tuple(done.items), done.position), done.anchor, size=done.size, height=done.height)

    def _add(self, node: Node, anchor: str | None, *, size: int, height: int, position: Position | None = None) -> None:
        """Put a finished node into the collection around it; `position` when it stands elsewhere than the node."""
        if anchor is not None:
            self._anchors[anchor] = (node, size, height)
        if not self._stack:
            self._root = node
            return
        parent = self._stack[-1]
        parent.size += size
        parent.height = max(parent.height, height + 1)
        if not parent.mapping:
            parent.items.append(node)
        elif parent.key_next:
            parent.key = self._key(parent, node, position or node.position)
            parent.key_next = False
        else:
            if parent.key is not None:
                parent.items.append((parent.key, node))
            parent.key_next = True

    def _key(self, mapping: _Open, node: Node, position: Position) -> SourceText | None:
        """`node` as a key, or None (and a problem) when it cannot be one."""
        if not isinstance(node, SourceText):
            self._bad_key(node, position)
            return None
        if not node:
            self._problem(position, "an empty key", 'write a name before the ":"')
            return None
        if node == "<<" and node.plain:
            self._problem(position, "merge keys (<<) are not supported", "write the keys out")
            return None
        first = mapping.seen.setdefault(node, position)
        if first is not position:
            self._problem(position, f'the key "{node}" is here twice', "remove one of them", f"first at {first}")
            return None
        return SourceText(str.__str__(node), position, plain=node.plain)

    def _bad_key(self, node: Node, position: Position) -> None:
        offset = self._lines.offset(position) or 0
        if isinstance(node, MappingNode) and self._lines.text[offset - 1 : offset + 1] == "{{":
            where = Position(position.file, position.line, max(1, position.column - 1))
            self._problem(where, "a template must stand in quotes", QUOTE_TEMPLATE)
        else:
            self._problem(position, "a key must be a text", "quote it if the braces or brackets belong to it")
