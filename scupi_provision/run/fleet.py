"""The hosts of a run: opened side by side, each with one session and what was read of it."""

from __future__ import annotations

import getpass
import secrets
import socket
import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

from scupi_provision.errors import ProvisionError
from scupi_provision.events import Event, HostConnected, HostUnreachable, Notice
from scupi_provision.host.snapshot import Needs, NeedsReadingError, Snapshot
from scupi_provision.inventory.inventory import Inventory
from scupi_provision.inventory.models import Host
from scupi_provision.plan.learnt import Learnt
from scupi_provision.run.blobs import Stock
from scupi_provision.run.downloads import DownloadCache, cache_folder
from scupi_provision.run.greeting import PATIENCE_S
from scupi_provision.run.guard import LoginGuard, tell_leftovers
from scupi_provision.run.request import RunRequest
from scupi_provision.run.routes import connection_of, route_to
from scupi_provision.run.session import Session, refusal
from scupi_provision.run.tidings import Tidings
from scupi_provision.shell.actions import Action
from scupi_provision.shell.compile import Turn
from scupi_provision.shell.replies import DeniedReply, LockedReply, StepFailed, StepStale
from scupi_provision.transport.base import Person, Route, Tell, Transport
from scupi_provision.transport.opening import open_transport
from scupi_provision.transport.shared_hops import SharedHops

T = TypeVar("T")


@dataclass
class Link:
    """One open host."""

    host: Host
    transport: Transport
    session: Session
    snapshot: Snapshot

    def seeing(self, look: Callable[[], T]) -> T:
        """What `look` gives, with everything that it looks at read from the host first."""
        try:
            return look()
        except NeedsReadingError as missing:
            self.session.read(missing.needs, self.snapshot)
        return self.seeing(look)

    def perform(self, actions: Sequence[Action], *, keeps_proof: bool = False) -> None:
        """Do a few actions of the engine's own that nobody's login depends on.

        Raises:
            ProvisionError: They could not be done; what the host says is in it.
        """
        self._perform([Turn(0, actions)], keeps_proof=keeps_proof)

    def perform_guarded(self, actions: Sequence[Action], guard: LoginGuard) -> Generator[Event, None, bool]:
        """As `perform`; yields what the lockout guard has to say, and returns whether the change stands."""
        stream = yield from guard.over([Turn(0, actions)])
        self._perform(stream, guard=guard)
        return (yield from guard.judge())

    def _perform(self, stream: Sequence[Turn], *, keeps_proof: bool = False, guard: LoginGuard | None = None) -> None:
        for reply in self.session.perform(stream, keeps_proof=keeps_proof):
            if guard:
                guard.watch(reply)
            if isinstance(reply, StepFailed | StepStale):
                raise ProvisionError(reply.why or "the host could not do it")
            if isinstance(reply, LockedReply | DeniedReply):
                raise refusal(reply)
        self.snapshot = Snapshot(self.snapshot.facts)


@dataclass
class Fleet:
    """Every host that the run has opened, by its inventory name.

    Attributes:
        errors: Why a host could not be opened or was lost; such a host takes no further part.
        remembered: By host, what tasks of earlier plays have registered and set.
        errands: Lines to hosts to which tasks are delegated, with the label of the host whose tasks they are.
        stock: Where the controller has files from that it sends to hosts.
    """

    inventory: Inventory
    request: RunRequest
    verb: str
    links: dict[str, Link] = field(default_factory=dict)
    errors: dict[str, ProvisionError] = field(default_factory=dict)
    run_id: str = field(default_factory=lambda: time.strftime("%Y%m%dT%H%M%S-") + secrets.token_hex(3))
    stock: Stock = field(default_factory=lambda: DownloadCache(cache_folder()))
    remembered: dict[str, Learnt] = field(default_factory=dict)
    errands: list[tuple[str, Link]] = field(default_factory=list)
    _hops: SharedHops[Any] = field(default_factory=SharedHops)
    _guard: threading.Lock = field(default_factory=threading.Lock)

    def open(self, hosts: Iterable[Host]) -> Iterator[Event]:
        """Open those of `hosts` that are not open yet, side by side; what comes of each is in the order of `hosts`."""
        opened = {*self.links, *self.errors}
        wanted = list({host.name: host for host in hosts if host.name not in opened}.values())
        if not wanted:
            return
        tidings = Tidings(self.request.forks, self.request.person)
        yield from tidings.of(wanted, partial(self._open, tidings.person))

    def drop(self, host: Host, error: ProvisionError) -> HostUnreachable:
        """The host takes no further part."""
        with self._guard:
            self.errors[host.name] = error
        return HostUnreachable(host.label, error.diagnostic)

    def close(self) -> None:
        """Let go of every host."""
        every = [*self.links.values(), *(link for _, link in self.errands)]
        for link in every:
            link.session.close()
        for link in every:
            link.transport.close()

    def _open(self, person: Person, host: Host, tell: Tell) -> list[Event]:
        started = time.monotonic()
        try:
            route = route_to(host, self.inventory, self.request)
            link = self._dialled(person, host, route, tell)
            session, transport = link.session, link.transport
            with self._guard:
                self.links[host.name] = link
            session.read(Needs(facts=True), link.snapshot)
            leftovers = tuple(self._leftovers(link))
        except ProvisionError as error:
            return [self.drop(host, error)]
        address = "this machine" if not route else f"{route[-1].address}:{route[-1].port}"
        via = tuple(hop.name for hop in route[:-1])
        events: list[Event] = [HostConnected(host.label, address, via, time.monotonic() - started)]
        if transport.explanation:
            events.append(Notice(transport.explanation, host.label))
        if session.noise:
            text = f"the account's login files print something (set aside): {session.noise[:200]}"
            events.append(Notice(text, host.label, "warning"))
        return [*events, *leftovers]

    def _dialled(self, person: Person, host: Host, route: Route, tell: Tell) -> Link:
        transport = open_transport(route, connection_of(host, self.request), person, self._hops, tell)
        session = Session(
            transport,
            run_id=self.run_id,
            owner=self._owner(),
            login_timeout_s=route[-1].login_timeout_s if route else PATIENCE_S,
            account=host.account or "",
        )
        return Link(host, transport, session, Snapshot())

    def errand(self, sender: Host, host: Host) -> Link:
        """A line to `host` on which only tasks of `sender` are done, with the facts of `host` read.

        Raises:
            ProvisionError: It cannot be reached.
        """
        route = route_to(host, self.inventory, self.request)
        link = self._dialled(self.request.person, host, route, lambda _line: None)
        with self._guard:
            self.errands.append((sender.label, link))
        link.session.read(Needs(facts=True), link.snapshot)
        return link

    def round_trips(self, label: str) -> int:
        """How many exchanges the host called `label` has cost, those with its delegates included."""
        own = [link for link in self.links.values() if link.host.label == label]
        sent = [link for sender, link in self.errands if sender == label]
        return sum(link.session.wire.round_trips for link in (*own, *sent))

    def _leftovers(self, link: Link) -> Iterator[Event]:
        """What the lockout guard of an earlier run has left; only who changes hosts also clears it away."""
        facts = link.snapshot.facts
        if facts and "guard_left" in facts.raw:
            finish = self.verb in {"apply", "rollback"}
            yield from tell_leftovers(link.session, link.host.label, facts.home, finish=finish)

    def _owner(self) -> str:
        return f"{_who()} (provision {self.verb}, run {self.run_id})"


def _who() -> str:
    try:
        user = getpass.getuser()
    except (OSError, KeyError, ImportError):  # no such account in the user database, or none at all (Windows)
        user = "somebody"
    return f"{user}@{socket.gethostname()}".replace("\n", " ")
