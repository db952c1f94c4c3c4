"""Ways into an account whose login shell may be in the way, tried in order on one connection."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from scupi_provision.access.shell_files import ASIDE, COMMAND_NAMES
from scupi_provision.errors import LoginShellError, ProvisionError, UnreachableError
from scupi_provision.host.recovery import WayTried
from scupi_provision.host.snapshot import Needs, Snapshot
from scupi_provision.run.greeting import AT_ONCE, Manner
from scupi_provision.run.session import Session
from scupi_provision.transport.base import Transport
from scupi_provision.transport.side_doors import INTERRUPT, FileDoor, ShellDoor

COMMAND = "a command, as ssh and scp run it"
LOGIN_SHELL = "a login shell without a terminal (reads ~/.bash_profile)"
TERMINAL = "a login shell with a terminal, interrupted by Ctrl-C"
FILES = "SFTP, with the start-up files out of the way for one login"
HERE = "a shell of our own on this machine"

_PATIENCE_S = 6.0
"""For a shell that is not the ordinary one; interrupts are typed every other second."""


@dataclass(frozen=True)
class Door:
    """What a session is opened with.

    Attributes:
        run_id: The run's.
        owner: Who holds the lock, for others who want it.
        patience_s: How long the login files may take.
        here: Whether the host is this machine.
        may_move: Whether start-up files may be renamed for the time of one login.
    """

    run_id: str
    owner: str
    patience_s: float
    here: bool = False
    may_move: bool = True


@dataclass(frozen=True)
class Inside:
    """An open session and what was read of the host's facts."""

    session: Session
    snapshot: Snapshot


def come_in(transport: Transport, door: Door) -> Generator[WayTried, None, Inside | None]:
    """Try every way; tells each, returns the first that leads in, None when none does.

    Raises:
        UnreachableError: The connection was lost, or the login shell is one that lets nobody in.
    """
    ways = (
        (HERE if door.here else COMMAND, transport, AT_ONCE, door.patience_s),
        (LOGIN_SHELL, ShellDoor(transport, terminal=False), Manner(later=True), _PATIENCE_S),
        (TERMINAL, ShellDoor(transport, terminal=True), Manner(later=True, interrupt=INTERRUPT), _PATIENCE_S),
    )
    for name, way, manner, patience_s in ways[: 1 if door.here else None]:
        try:
            inside = _opened(
                Session(way, run_id=door.run_id, owner=door.owner, login_timeout_s=patience_s, manner=manner)
            )
        except UnreachableError as error:
            if not transport.alive:
                raise
            # Behind a terminal, what was printed is mostly an echo of what was typed.
            yield WayTried(name, _problem(error) if manner is AT_ONCE else error.diagnostic.summary)
            continue
        yield WayTried(name)
        return inside
    if door.may_move and not door.here:
        return (yield from _by_files(transport, door))
    return None


def _by_files(transport: Transport, door: Door) -> Generator[WayTried, None, Inside | None]:
    try:
        with _out_of_the_way(transport) as moved:
            if not moved:
                yield WayTried(FILES, "there is no start-up file that could be in the way")
                return None
            inside = _opened(Session(transport, run_id=door.run_id, owner=door.owner, login_timeout_s=door.patience_s))
    except UnreachableError as error:
        if not transport.alive:
            raise
        yield WayTried(FILES, _problem(error))
        return None
    yield WayTried(FILES)
    return inside


@contextmanager
def _out_of_the_way(transport: Transport) -> Iterator[list[str]]:
    """The files that every command reads have other names in here, by SFTP; afterwards they have their own again."""
    files = FileDoor(transport)
    moved: list[str] = []
    try:
        for name in COMMAND_NAMES:
            files.rename(name + ASIDE, name)  # what a rescue that was killed has left so
            if files.rename(name, name + ASIDE):
                moved.append(name)
        yield moved
    finally:
        for name in moved:
            with suppress(UnreachableError):  # each of them is tried; the next rescue does it otherwise
                files.rename(name + ASIDE, name)
        files.close()


def _opened(session: Session) -> Inside:
    snapshot = Snapshot()
    try:
        session.read(Needs(facts=True), snapshot)
    except ProvisionError:
        session.close()
        raise
    return Inside(session, snapshot)


def _problem(error: UnreachableError) -> str:
    diagnostic = error.diagnostic
    nothing = not isinstance(error, LoginShellError) or diagnostic.detail == "nothing was printed"
    return diagnostic.summary if nothing else f"{diagnostic.summary} ({diagnostic.detail})"
