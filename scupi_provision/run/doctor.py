"""`provision doctor`: the way to every node and the nodes themselves, looked at as far as it goes. Changes nothing."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import pairwise

from scupi_provision.errors import ProvisionError
from scupi_provision.host.facts import Facts
from scupi_provision.host.finding import Finding, State, unseen
from scupi_provision.inventory.inventory import Inventory
from scupi_provision.inventory.models import Host
from scupi_provision.run.doctoring import between, home, keys, logins, machine
from scupi_provision.run.doctoring.node import Node
from scupi_provision.run.fresh_login import fresh_login
from scupi_provision.run.request import RunRequest
from scupi_provision.run.routes import connection_of, route_to, setting
from scupi_provision.run.session import Session
from scupi_provision.shell import looking
from scupi_provision.transport import examining
from scupi_provision.transport.base import Hop, Transport
from scupi_provision.transport.examined_hop import ExaminedHop
from scupi_provision.transport.opening import open_transport

UPSTREAMS = ("https://www.kernel.org/", "https://www.python.org/", "https://github.com/")
"""Where git, Python and Miniforge come from when the inventory names no mirrors (roles/sources)."""
_MOST_SOURCES = 8


@dataclass
class _Open:
    """A node that lets us in.

    Attributes:
        transport: The way to it.
        session: Takes programs.
        node: What it told.
        clock: Its clock against ours.
    """

    transport: Transport
    session: Session
    node: Node
    clock: between.Clock | None = None


@dataclass
class Doctor:
    """Walks the way to each host in turn; hops that several share are looked at once.

    Attributes:
        now: This computer's clock, seconds since 1970.
    """

    inventory: Inventory
    request: RunRequest
    now: Callable[[], float] = time.time
    _open: dict[str, _Open] = field(default_factory=dict)
    _stack: ExitStack = field(default_factory=ExitStack)

    def __post_init__(self) -> None:
        self._person = logins.CountingPerson(self.request.person)

    def look_at(self, hosts: Sequence[Host]) -> Iterator[Finding]:
        """Every finding about `hosts` and the hops on the way to them, each as soon as it is known.

        Raises:
            InputError: The inventory has no way to a host, or a variable that decides about it is wrong.
        """
        with self._stack:
            chain = {hop.name: hop for host in hosts for hop in self.inventory.route_hosts(host)}
            for host in chain.values():
                yield from self._visit(host, [other for other in chain.values() if other.via == host.base])
            yield from self._between()

    @property
    def nodes(self) -> dict[str, Node]:
        """The nodes that let us in, by base name."""
        return {name: opened.node for name, opened in self._open.items()}

    # --- one host ---------------------------------------------------------------------------------------------------

    def _visit(self, host: Host, behind: Sequence[Host]) -> Iterator[Finding]:
        if connection_of(host, self.request) == "local":
            transport: Transport | None = open_transport((), "local")
        else:
            transport = yield from self._way(host)
        if transport is None:
            yield from unseen(host.base, ("the node itself",), "nobody lets us in")
            return
        self._stack.callback(transport.close)
        try:
            yield from self._node(host, transport, behind)
        except ProvisionError as error:
            told = error.diagnostic
            what = ": ".join(part for part in (told.summary, "; ".join(told.detail.split("\n"))) if part)
            yield Finding(host.base, "programs", State.PROBLEM, what, told.hint or "provision rescue")

    def _way(self, host: Host) -> Generator[Finding, None, Transport | None]:
        own = keys.own_keys(host, self.request)
        yield from own.findings
        hop = keys.lenient_hop(host, self.inventory, self.request, own)
        before = self._open.get(host.via or "")
        if host.via and before is None:
            yield from unseen(host.base, examining.CHECKS, f"{host.via} is in the way")
            return None
        if before is not None and (hop.reach in {"nested", "slurm"} or not isinstance(before.transport, ExaminedHop)):
            return (yield from self._other_way(host, []))
        return (yield from self._examined(host, hop, before))

    def _examined(self, host: Host, hop: Hop, before: _Open | None) -> Generator[Finding, None, Transport | None]:
        through, resolved = None, None
        if before is not None and isinstance(before.transport, ExaminedHop):
            through, resolved = before.transport, before.node.resolved.get(hop.address)
        examination = examining.examine(hop, through, self._person, resolved)
        held: list[Finding] = []
        while True:
            try:
                found = next(examination)
            except StopIteration as ended:
                opened: ExaminedHop | None = ended.value
                break
            # What is wrong behind a jump may not matter: there are other ways. So it is told when they are known.
            if held or (through is not None and found.state is State.PROBLEM):
                held.append(found)
            else:
                yield found
        if opened is None and through is not None:
            return (yield from self._other_way(host, held))
        return opened

    def _other_way(self, host: Host, direct: list[Finding]) -> Generator[Finding, None, Transport | None]:
        """Nested, or by a job; `direct` is what is wrong with the jump, if it was tried."""
        try:
            transport = open_transport(route_to(host, self.inventory, self.request), "ssh", self._person)
        except ProvisionError as error:
            yield from direct or [
                Finding(host.base, "login", State.PROBLEM, error.diagnostic.summary, error.diagnostic.hint)
            ]
            return None
        how = f"the {transport.way} way: {transport.explanation}" if transport.explanation else transport.way
        if direct:
            yield Finding(host.base, direct[0].check, State.WARNING, f"{direct[0].what}; reached {how}", direct[0].fix)
        yield Finding(host.base, "login", State.OK, how)
        return transport

    # --- the node behind it -----------------------------------------------------------------------------------------

    def _node(self, host: Host, transport: Transport, behind: Sequence[Host]) -> Iterator[Finding]:
        session = Session(transport, run_id=f"doctor-{secrets.token_hex(4)}", owner="provision doctor")
        self._stack.callback(session.close)
        session.ask(looking.define())  # opens the shell, so that the clock is asked on an open line
        before = self.now()
        told = {reply.name: reply.value for reply in session.ask(looking.clock())}
        after = self.now()
        clock = between.Clock.read(before, int(told["clock"]), after) if told.get("clock", "").isdigit() else None
        node = self._looked_at(host, transport, session, behind)
        self._open[host.base] = _Open(transport, session, node, clock)
        for check in (*machine.CHECKS, *home.CHECKS):
            yield check(node)
        yield between.clock(node.name, clock)
        yield from self._fresh_login(host)

    def _fresh_login(self, host: Host) -> Iterator[Finding]:
        if self._person.asked:
            yield from logins.not_tried(host.base)
            return
        route, connection = route_to(host, self.inventory, self.request), connection_of(host, self.request)
        login = fresh_login(route, self._person, connection=connection)
        yield from logins.judge(host.base, login, host.account or "")

    def _looked_at(self, host: Host, transport: Transport, session: Session, behind: Sequence[Host]) -> Node:
        names = tuple(str(setting(other, self.request, "ansible_host", other.base)) for other in behind)
        public_keys = transport.public_keys if isinstance(transport, ExaminedHop) else ()
        urls = self._urls(host)
        raw = {reply.name: reply.value for reply in session.ask(looking.look(names, public_keys, urls))}
        return Node(
            name=host.base,
            facts=Facts(raw),
            computes=host.via is not None,
            reason=str(setting(host, self.request, "torch_cpu_reason", "")),
            public_keys=public_keys,
            urls=urls,
            names=names,
        )

    def _urls(self, host: Host) -> tuple[str, ...]:
        """The first address of each kind of source that the inventory names."""
        variables = host.variables.merged()
        named = [setting(host, self.request, name) for name in variables if name.startswith("sources_")]
        urls = [str(value[0]) for value in named if isinstance(value, list) and value and "://" in str(value[0])]
        return tuple(dict.fromkeys(urls or UPSTREAMS))[:_MOST_SOURCES]

    # --- two nodes --------------------------------------------------------------------------------------------------

    def _between(self) -> Iterator[Finding]:
        opened = list(self._open.values())
        yield from between.clocks([(each.node.name, each.clock) for each in opened if each.clock is not None])
        for one, other in pairwise(opened):
            yield between.c_libraries(one.node, other.node)
            yield self._shared_home(one, other)

    def _shared_home(self, one: _Open, other: _Open) -> Finding:
        """Put a mark into the home of one node and open it on the other; it is taken away again."""
        name = f"doctor-{secrets.token_hex(8)}"
        (put, made) = [*_answer(one.session, looking.mark(name), "mark").split(" "), ""][:2]
        if put != "yes":
            return between.shared_home(one.node, other.node, None)
        try:
            question = looking.find_mark(name, between.wait_for(one.node, other.node))
            return between.shared_home(one.node, other.node, _answer(other.session, question, "marked"))
        finally:
            one.session.ask(looking.unmark(name, made_folder=bool(made)))


def _answer(session: Session, question: str, fact: str) -> str:
    return {reply.name: reply.value for reply in session.ask(question)}.get(fact, "")


def exit_code(findings: Sequence[Finding]) -> int:
    """0 when all is well or only warned of, 3 when a node could not be reached, 1 for any other problem."""
    if any(found.check == "login" and found.state in {State.PROBLEM, State.UNSEEN} for found in findings):
        return 3
    return 1 if any(found.state is State.PROBLEM for found in findings) else 0
