"""One reading of a host: the question as a program, and its replies put together to what they mean."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

from scupi_provision.host.facts import Facts
from scupi_provision.host.snapshot import Needs, Snapshot
from scupi_provision.shell import program
from scupi_provision.shell.entry import Entry, Kind
from scupi_provision.shell.inspection import ask, define
from scupi_provision.shell.replies import ContentsReply, EntriesReply, FactReply, NamesReply, Reply


class Reading:
    """What is needed, asked for in one program.

    Attributes:
        text: The program, without its end.
    """

    def __init__(self, needs: Needs) -> None:
        """Ask for what is needed; contents are asked for by path, and with their entries, which tell their hashes."""
        self._facts = needs.facts
        self._groups = program.batches([*needs.entries, *(p for p in needs.contents if p not in needs.entries)])
        self._contents = program.batches(list(needs.contents))
        self._patterns = list(needs.names)
        self._inspections = list(needs.inspections)
        self.text = "".join(
            [
                program.read_facts() if needs.facts else "",
                *(program.read_entries(group) for group in self._groups),
                *(program.read_contents(group) for group in self._contents),
                *(program.read_names(pattern) for pattern in self._patterns),
                define() if self._inspections else "",
                *(ask(inspection) for inspection in self._inspections),
            ]
        )

    def keep(self, replies: Iterable[Reply], snapshot: Snapshot) -> Needs:
        """Add what the replies tell to the snapshot; what has to be read again, because it changed meanwhile."""
        facts: dict[str, str] = {}
        entries: list[Entry | None] = []
        blobs: list[bytes] = []
        patterns = list(self._patterns)
        for reply in replies:
            if isinstance(reply, FactReply):
                facts[reply.name] = reply.value
            elif isinstance(reply, EntriesReply):
                entries.extend(reply.entries)
            elif isinstance(reply, ContentsReply):
                blobs.append(reply.content)
            elif isinstance(reply, NamesReply):
                snapshot.names[patterns.pop(0)] = reply.paths
        if self._facts:
            snapshot.facts = Facts(facts)
        again = _keep_entries([path for group in self._groups for path in group], entries, snapshot)
        count = len(self._contents)
        snapshot.inspections.update(zip(self._inspections, blobs[count:], strict=True))
        for group, blob in zip(self._contents, blobs[:count], strict=True):
            again.add(_keep_contents(group, blob, snapshot))
        return again


def _keep_entries(paths: list[str], entries: list[Entry | None], snapshot: Snapshot) -> Needs:
    again = Needs()
    for path, entry in zip(paths, entries, strict=True):
        if entry is None:
            again.entries[path] = None
        else:
            snapshot.entries[path] = entry
    return again


def _keep_contents(paths: Sequence[str], blob: bytes, snapshot: Snapshot) -> Needs:
    """Cut the bytes of several files apart by their sizes; what does not match its hash is read again."""
    again = Needs()
    at = 0
    for path in paths:
        entry = snapshot.entries.get(path)
        if entry is None or entry.kind is not Kind.FILE or entry.digest is None or entry.size is None:
            continue
        content = blob[at : at + entry.size]
        at += entry.size
        if hashlib.sha256(content).hexdigest() == entry.digest:
            snapshot.contents[path] = content
        else:
            again.entries[path] = None
            again.contents[path] = None
    return again
