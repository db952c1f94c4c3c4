"""Whoever sits at the terminal, asked for what only people know: passphrases, codes, trust."""

from __future__ import annotations

import getpass
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from scupi_provision.errors import AuthenticationError

if TYPE_CHECKING:
    from scupi_provision.transport.base import Hop, Person

_MOST_CHARACTERS = 500
"""Of a question: it comes from a host, which may send anything."""


def terminal_person(*, assume_yes: bool = False) -> Person:
    """Who can be asked: the person at the terminal, or nobody when standard input is none.

    Args:
        assume_yes: Host keys that nothing is known about are trusted without a question; they are shown all the same.
    """
    from scupi_provision.transport.base import Nobody  # noqa: PLC0415 - keeps `--help` fast

    at_terminal = sys.stdin is not None and sys.stdin.isatty()
    if assume_yes:
        return _Trusting(_Terminal() if at_terminal else Nobody())
    return _Terminal() if at_terminal else Nobody()


class _Terminal:
    """The Person protocol at a terminal. Questions never go to stdout, which programs may read."""

    def __init__(self) -> None:
        self._speaking = threading.Lock()

    def secret(self, hop: Hop, question: str, *, echo: bool) -> str:
        """Ask; the answer is shown while it is typed only with `echo`."""
        with self._alone():
            prompt = f"{hop.name} asks: {_shown(question)} "
            try:
                return _read_line(prompt) if echo else getpass.getpass(prompt)
            except EOFError:
                raise AuthenticationError(f"{hop.name} asked, and there was no answer") from None

    def answer(self, question: str, *, echo: bool) -> str | None:
        """Ask for a variable; nothing when the terminal is closed meanwhile."""
        with self._alone():
            try:
                return _read_line(_shown(question) + " ") if echo else getpass.getpass(_shown(question) + " ")
            except EOFError:
                return None

    def trusts(self, hop: Hop, offered: str) -> bool:
        """Show the key; only the whole word yes is consent, as with ssh."""
        with self._alone():
            print(_introduction(hop, offered), file=sys.stderr)
            try:
                return _read_line("Is this the right one (yes/no)? ").strip().lower() == "yes"
            except EOFError:
                return False

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One question at a time, and no progress drawn over it."""
        from scupi_provision.report.progress import all_paused  # noqa: PLC0415 - rich is slow to import

        with self._speaking, all_paused():
            yield


class _Trusting:
    """Trusts every key that is not known yet, and says so."""

    def __init__(self, person: Person) -> None:
        self._person = person

    def secret(self, hop: Hop, question: str, *, echo: bool) -> str:
        """Ask whoever is there."""
        return self._person.secret(hop, question, echo=echo)

    def answer(self, question: str, *, echo: bool) -> str | None:
        """Ask whoever is there."""
        return self._person.answer(question, echo=echo) if isinstance(self._person, _Terminal) else None

    def trusts(self, hop: Hop, offered: str) -> bool:
        """Yes was said on the command line."""
        print(_introduction(hop, offered), file=sys.stderr)
        return True


def _introduction(hop: Hop, offered: str) -> str:
    return f"{hop.name} ({hop.address}, port {hop.port}) is not known yet. Its key is\n    {_shown(offered)}"


def _read_line(prompt: str) -> str:
    print(prompt, end="", file=sys.stderr, flush=True)
    line = sys.stdin.readline()
    if not line:
        raise EOFError
    return line.rstrip("\r\n")


def _shown(text: str) -> str:
    """What a host says, so that it cannot control the terminal; a question of several lines keeps them."""
    from scupi_provision.report.visible import shortened, visible_lines  # noqa: PLC0415 - keeps `--help` fast

    return "\n".join(visible_lines(shortened(text.strip(), _MOST_CHARACTERS)))
