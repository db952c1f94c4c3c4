"""`delegate_to`: tasks of a play on one host that are done on another one."""

from __future__ import annotations

from scupi_provision.errors import Diagnostic, InputError, Position
from scupi_provision.host.snapshot import Needs, Snapshot
from scupi_provision.source import diagnostic

HERE = ""
"""The name of the play's own host among those that do its tasks."""


class Delegates:
    """Nobody: a host that does everything itself. Subclasses know where others are."""

    def named(self, asked: str, where: Position | None) -> str:
        """The one name of the host that a playbook calls `asked`; HERE when it is the play's own.

        Raises:
            InputError: Nothing can be delegated to it.
        """
        summary = f'this task cannot be delegated to "{asked}" here'
        raise InputError.of([diagnostic(summary, where, hint="only check and apply reach other hosts for a play")])

    def owner(self, asked: str, _where: Position | None) -> str:
        """The inventory's name of that host, whose facts are kept by it; HERE when it is the play's own."""
        return asked

    def refusal(self, _name: str) -> Diagnostic | None:
        """Why the host called `name` cannot be reached, once that has been tried."""
        return None

    def snapshot(self, _name: str) -> Snapshot:
        """What is known of the host called `name`; nothing while it has not been reached."""
        return Snapshot()

    def read(self, _name: str, _needs: Needs) -> None:
        """Bring what is needed into the snapshot of that host, which is reached for it when it has not been yet."""
