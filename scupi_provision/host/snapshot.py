"""What has been read from a host, and what a plan still needs to read."""

from __future__ import annotations

from dataclasses import dataclass, field

from scupi_provision.host.facts import Facts
from scupi_provision.shell.entry import Entry
from scupi_provision.shell.inspection import Inspection


@dataclass
class Snapshot:
    """What is known of one host. Grows while a plan is made; thrown away when the host may have changed.

    Attributes:
        facts: None until read.
        entries: By absolute path.
        contents: Bytes of files whose hash is that of their entry.
        names: What a pattern matched.
        inspections: What was told of other questions; None where nobody can tell (a script that is compiled).
    """

    facts: Facts | None = None
    entries: dict[str, Entry] = field(default_factory=dict)
    contents: dict[str, bytes] = field(default_factory=dict)
    names: dict[str, tuple[str, ...]] = field(default_factory=dict)
    inspections: dict[Inspection, bytes | None] = field(default_factory=dict)


@dataclass
class Needs:
    """What one more exchange with the host has to bring.

    Attributes:
        elsewhere: What is needed of other hosts, by name, for tasks that are delegated to them.
    """

    facts: bool = False
    entries: dict[str, None] = field(default_factory=dict)
    contents: dict[str, None] = field(default_factory=dict)
    names: dict[str, None] = field(default_factory=dict)
    inspections: dict[Inspection, None] = field(default_factory=dict)
    elsewhere: dict[str, Needs] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return self.here or any(self.elsewhere.values())

    @property
    def here(self) -> bool:
        """Whether anything is needed of the host itself."""
        return bool(self.facts or self.entries or self.contents or self.names or self.inspections)

    def add(self, other: Needs) -> None:
        """Need that too."""
        self.facts = self.facts or other.facts
        self.entries.update(other.entries)
        self.contents.update(other.contents)
        self.names.update(other.names)
        self.inspections.update(other.inspections)
        for name, needs in other.elsewhere.items():
            self.elsewhere.setdefault(name, Needs()).add(needs)


class NeedsReadingError(Exception):
    """Internal: a plan looked at something that has not been read yet. The planner notes it and goes on."""

    def __init__(self, needs: Needs) -> None:
        super().__init__("not read yet")
        self.needs = needs
