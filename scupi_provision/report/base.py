"""What every reporter is."""

from __future__ import annotations

from typing import Protocol

from scupi_provision.events import Event


class Reporter(Protocol):
    """Shows the events of one run, in the order in which they happened.

    A reporter MUST NOT raise for any text that a host can send, and MUST NOT let such text control the terminal.
    """

    def handle(self, event: Event) -> None:
        """Show one event. Events come from one thread."""

    def close(self) -> None:
        """Give the terminal back (cursor, live region). MUST be called, also after an interrupt; twice is fine."""
