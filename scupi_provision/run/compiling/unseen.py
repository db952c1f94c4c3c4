"""A home that nobody has looked at: empty, except for files of the user's whose content is a riddle."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable, Mapping

from scupi_provision.host.facts import Facts
from scupi_provision.host.snapshot import Needs, Snapshot
from scupi_provision.run.compiling.assumed import is_in
from scupi_provision.shell.entry import ABSENT, Entry, Kind


class _Riddles(dict[str, bytes]):
    """Contents that stand for what nobody knows; who asks for one is noted."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: set[str] = set()

    def __getitem__(self, path: str) -> bytes:
        self.asked.add(path)
        return super().__getitem__(path)


class UnseenHome:
    """Answers a planner's questions as the assumption has it.

    Attributes:
        snapshot: What has been answered so far.
        theirs: Files of the user's that are there, with content that nobody knows.
    """

    def __init__(self, facts: Mapping[str, str], theirs: Iterable[str] = (), *, mark: str = "") -> None:
        """Begin with these facts (as `facts.sh` tells them); `mark` begins what stands for contents."""
        self._riddles = _Riddles()
        self.snapshot = Snapshot(Facts(facts), contents=self._riddles)
        self.theirs = frozenset(theirs)
        # Nothing that a user or a playbook could have written: where it turns up, it came from here.
        self._mark = mark or secrets.token_hex(16)

    def asked(self) -> list[str]:
        """The files whose content somebody has asked for since this was called last."""
        found, self._riddles.asked = sorted(self._riddles.asked), set()
        return found

    def riddle(self, path: str) -> bytes:
        """What stands for the content of `path`: one line."""
        return f"{self._mark} {hashlib.sha256(path.encode()).hexdigest()}\n".encode()

    def read(self, needs: Needs, snapshot: Snapshot) -> None:
        """Answer what is needed."""
        home = snapshot.facts.home if snapshot.facts else "/"
        for path in (*needs.entries, *needs.contents):
            snapshot.entries[path] = self._entry(path, home)
        for path in needs.contents:
            if path in self.theirs:
                snapshot.contents[path] = self.riddle(path)
        for pattern in needs.names:
            snapshot.names[pattern] = ()
        snapshot.inspections.update(dict.fromkeys(needs.inspections))

    def _entry(self, path: str, home: str) -> Entry:
        if is_in(home, path):
            return Entry(Kind.DIRECTORY)
        if path in self.theirs:
            content = self.riddle(path)
            return Entry(Kind.FILE, None, len(content), hashlib.sha256(content).hexdigest())
        return ABSENT
