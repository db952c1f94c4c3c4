"""What a host in memory answers when it is asked for more than its entries."""

from __future__ import annotations

import hashlib
import stat
from collections.abc import Mapping
from typing import TYPE_CHECKING

from scupi_provision.shell.entry import Kind
from scupi_provision.shell.inspection import Inspection

if TYPE_CHECKING:
    from scupi_provision.host.memory import Node

_TYPES = {Kind.FILE: stat.S_IFREG, Kind.DIRECTORY: stat.S_IFDIR, Kind.LINK: stat.S_IFLNK, Kind.OTHER: stat.S_IFIFO}
_THEN = "1738324800"
"""Every file of a host in memory is as old as that host's clock."""


def answer(question: Inspection, nodes: Mapping[str, Node]) -> bytes:
    """What `inspect.sh` would say; b"" where this host cannot tell."""
    if question.what == "stat":
        node = nodes.get(question.words[0])
        return b"" if node is None else f"{_line(question.words[0], node, nodes)}\n-rw\n".encode()
    if question.what == "times":
        return b"2025-01-31 12:00:00.000000000 +0000\n" * 2
    if question.what == "sum":
        algorithm, path = question.words
        found = nodes.get(path)
        content = found.content if found is not None and found.kind is Kind.FILE else None
        return b"" if content is None else f"{hashlib.new(algorithm, content).hexdigest()}\n".encode()
    if question.what == "tree":
        return _tree(question, nodes)
    return b""


def _line(path: str, node: Node, nodes: Mapping[str, Node]) -> str:
    bits = _TYPES[node.kind] | (0o777 if node.kind is Kind.LINK else node.mode)
    inode = next(number for number, (known, other) in enumerate(nodes.items(), 2) if other is node or known == path)
    links = sum(other is node for other in nodes.values()) if node.kind is Kind.FILE else 1
    owner = "1000 1000 student student"
    return f"{bits:x} {owner} {inode} 1 {links} 8 4096 {len(node.content)} 0 0 {_THEN} {_THEN} {_THEN}"


def _tree(question: Inspection, nodes: Mapping[str, Node]) -> bytes:
    _, depth, root = question.words
    node = nodes.get(root)
    if node is None or node.kind is not Kind.DIRECTORY:
        return b""
    below = {path[len(root) + 1 :]: node for path, node in nodes.items() if path.startswith(root.rstrip("/") + "/")}
    found = {path: node for path, node in below.items() if not depth or path.count("/") < int(depth)}
    lines = [_line(f"{root}/{path}", node, nodes) for path, node in found.items()]
    names = [f"{root}/./{path}\0" for path in found]
    return "".join([*(f"{line}\n" for line in lines), "names\n", *names]).encode("utf-8", "surrogateescape")
