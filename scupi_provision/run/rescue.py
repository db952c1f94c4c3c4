"""`provision rescue`: gets an account back whose start-up files keep everybody out, its owner included."""

from __future__ import annotations

import math
import posixpath
import secrets
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass

from scupi_provision.access import shell_files
from scupi_provision.access.shell_files import ASIDE
from scupi_provision.errors import AuthenticationError, HostKeyError, LoginShellError, UnreachableError
from scupi_provision.host.recovery import Finding, Healthy, LoggedIn, ModeFinding, Step, Unrepaired, WayTried
from scupi_provision.inventory.inventory import Inventory
from scupi_provision.inventory.models import Host
from scupi_provision.run.fresh_login import fresh_login
from scupi_provision.run.greeting import PATIENCE_S
from scupi_provision.run.request import RunRequest
from scupi_provision.run.rescuing import repairing
from scupi_provision.run.rescuing.examining import Examiner
from scupi_provision.run.rescuing.ways_in import Door, Inside, come_in
from scupi_provision.run.routes import connection_of, route_to
from scupi_provision.run.session import Session
from scupi_provision.shell.entry import Kind
from scupi_provision.transport.base import Transport
from scupi_provision.transport.opening import open_transport

_MOST_ROUNDS = 6
"""A file that sources another, which sources a third, takes as many."""
_MOST_LINKS = 5
_FIRST = ("server", "command")
"""Files for these occasions keep everybody out; the others are looked at when those are well."""

TO_PASTE = (
    "exec /bin/bash --noprofile --norc",
    "PATH=/usr/bin:/bin; export PATH; cd",
    f"for f in .bashrc .bash_profile .profile; do mv $f $f{ASIDE}; done",
)
"""For somebody who has the portal's WebShell (or its file manager, for the last line) and nothing else."""

Approve = Callable[[Sequence[Finding | ModeFinding]], bool]
"""Asks whether what was found may be put right."""


@dataclass(frozen=True)
class RescueWish:
    """What a rescue may do.

    Attributes:
        dry_run: Only look. Without it, start-up files may have other names for the time of one login.
        restore: Give the files back what they were before the last rescue, instead of looking for what is wrong.
    """

    dry_run: bool = False
    restore: bool = False


def rescue(inventory: Inventory, request: RunRequest, host: Host, wish: RescueWish, approve: Approve) -> Iterator[Step]:
    """Get in, look at the start-up files, put right what is wrong after asking, and log in anew.

    Where no way leads in on `host`, the account's other hosts are tried: they may have the same home.

    Args:
        inventory: Where the host is from.
        request: How to log in.
        host: One host of one account.
        wish: What may be done.
        approve: Asked before anything is changed.

    Raises:
        LoginShellError: No way leads in; it says what somebody with a WebShell can do.
        ProvisionError: A host cannot be reached, or does not do what it is told.
    """
    hosts = [host, *(other for other in inventory.hosts if other.account == host.account and other != host)]
    obstacles: list[UnreachableError | None] = []
    for each in hosts:
        try:
            if (yield from _rescued_on(inventory, request, each, wish, approve)):
                return
            obstacles.append(None)
        except (HostKeyError, AuthenticationError):  # noqa: PERF203 - a host is slower than any `try`
            raise  # another host does not help
        except UnreachableError as error:
            yield WayTried(each.base, error.diagnostic.summary)
            obstacles.append(error)
    raise next((error for error in obstacles if error and None not in obstacles), _no_way_in(wish))


def _rescued_on(
    inventory: Inventory, request: RunRequest, host: Host, wish: RescueWish, approve: Approve
) -> Generator[Step, None, bool]:
    """Whether a way led in on this host."""
    with _connected(inventory, request, host) as (transport, patience_s):
        here = connection_of(host, request) == "local"
        door = Door(_run_id(), "somebody (provision rescue)", patience_s, here, not wish.dry_run)
        inside = yield from come_in(transport, door)
        if inside is None:
            return False
        with closing(inside.session):
            changed = yield from _at_work(inside, patience_s, wish, approve)
        if changed:
            yield _logged_in(inventory, request, host)
        return True


@contextmanager
def _connected(inventory: Inventory, request: RunRequest, host: Host) -> Iterator[tuple[Transport, float]]:
    route = route_to(host, inventory, request)
    transport = open_transport(route, connection_of(host, request), request.person)
    try:
        yield transport, route[-1].login_timeout_s if route else PATIENCE_S
    finally:
        transport.close()


def _at_work(inside: Inside, patience_s: float, wish: RescueWish, approve: Approve) -> Generator[Step, None, bool]:
    """Whether a fresh login has to show how things are now."""
    facts = inside.snapshot.facts
    if facts is None:
        raise UnreachableError("the host did not tell where the account's home is")
    if wish.restore:
        return (yield from _restore(inside.session, facts.home))
    examiner = Examiner(
        inside.session.ask,
        lambda path: _content(inside.session, path),
        facts.raw.get("shell", "/bin/sh"),
        facts.home,
        math.ceil(patience_s),
    )
    seen = False
    for _ in range(_MOST_ROUNDS):
        findings: list[Finding | ModeFinding] = []
        for finding in _found(examiner, inside.session):
            yield finding
            findings.append(finding)
        if not findings:
            if not wish.dry_run:
                yield from repairing.put_back(inside.session, shell_files.ALL_NAMES, facts.home)
            if not seen:
                yield Healthy()
            return not wish.dry_run
        seen = True
        if wish.dry_run or not approve(findings):
            looked = "only looked" if wish.dry_run else "nobody has said yes (--yes says so without being asked)"
            yield Unrepaired(f"{looked}; what hides behind it may show only when it is repaired")
            return False
        yield from repairing.repair(inside.session, _in_files(findings), time.strftime("%Y-%m-%d"))
        yield from repairing.set_modes(inside.session, [one for one in findings if isinstance(one, ModeFinding)])
    yield Unrepaired("there is always something more; the files have to be looked at by a person")
    return True


def _in_files(findings: Sequence[Finding | ModeFinding]) -> list[Finding]:
    """Those in files, each once: a file may be read on several occasions."""
    places: dict[tuple[str, int, int], Finding] = {}
    for one in findings:
        if isinstance(one, Finding):
            places.setdefault((one.path, one.first, one.last), one)
    return list(places.values())


# --- looking ---------------------------------------------------------------------------------------------------------


def _found(examiner: Examiner, session: Session) -> Iterator[Finding | ModeFinding]:
    """What is wrong: in what every command reads; when nothing is, in what logins read."""
    home = examiner.home
    present = _present(session, home)
    files = shell_files.start_files(examiner.shell, list(present))
    count = 0
    for first in (True, False):
        for file in (each for each in files if (each.occasion in _FIRST) is first):
            path, content = present[file.name]
            for finding in examiner.examine(file, path, content):
                count += 1
                yield finding
        if first:
            for one in _modes(session, home):
                count += 1
                yield one
        if count:
            return


def _present(session: Session, home: str) -> dict[str, tuple[str, bytes]]:
    """The start-up files that are there, by their names: where the file itself is, and its content.

    One that was moved out of the way counts under its own name, which it shall have again.
    """
    paths = {name: f"{home}/{name}" for name in shell_files.ALL_NAMES}
    entries = repairing.read(session, list(paths.values())).entries
    paths = {name: path if entries[path].exists else path + ASIDE for name, path in paths.items()}
    for _ in range(_MOST_LINKS):
        snapshot = repairing.read(session, list(paths.values()))
        links = {name: path for name, path in paths.items() if snapshot.entries[path].kind is Kind.LINK}
        if not links:
            return {name: (path, snapshot.contents[path]) for name, path in paths.items() if path in snapshot.contents}
        for name, path in links.items():
            target = snapshot.entries[path].target or ""
            paths[name] = posixpath.normpath(posixpath.join(posixpath.dirname(path), target))
    return {name: (path, snapshot.contents[path]) for name, path in paths.items() if path in snapshot.contents}


def _content(session: Session, path: str) -> bytes | None:
    return repairing.read(session, [path]).contents.get(path)


def _modes(session: Session, home: str) -> Iterator[ModeFinding]:
    """Where others may write although sshd then accepts no key."""
    paths = [home, f"{home}/.ssh", f"{home}/.ssh/authorized_keys"]
    entries = repairing.read(session, paths).entries
    for path in paths:
        mode = entries[path].mode
        if mode is not None and entries[path].kind is not Kind.LINK and mode & repairing.FORBIDDEN:
            yield ModeFinding(path, mode, mode & ~repairing.FORBIDDEN)


# --- afterwards ------------------------------------------------------------------------------------------------------


def _restore(session: Session, home: str) -> Generator[Step, None, bool]:
    found = False
    for step in repairing.restore(session, [f"{home}/{name}" for name in shell_files.ALL_NAMES]):
        found = True
        yield step
    if not found:
        yield Unrepaired("there is no copy of a file from before a rescue")
    return found


def _logged_in(inventory: Inventory, request: RunRequest, host: Host) -> LoggedIn:
    route = route_to(host, inventory, request)
    login = fresh_login(route, request.person, connection=connection_of(host, request))
    return LoggedIn(host.base, login.seconds, login.problem)


def _run_id() -> str:
    return time.strftime("%Y%m%dT%H%M%S-") + secrets.token_hex(3)


def _no_way_in(wish: RescueWish) -> LoginShellError:
    lines = "\n".join(f"    {line}" for line in TO_PASTE)
    detail = f"the start-up files get other names by this, which end in {ASIDE}; rescue repairs them and puts them back"
    hint = f"in the portal's WebShell, paste these lines, then run rescue again:\n{lines}"
    if wish.dry_run:
        detail = "with --dry-run no start-up file is moved out of the way, not even for one login"
        hint = f"run it without --dry-run, or {hint}"
    return LoginShellError("no way leads into the account", detail=detail, hint=hint)
