"""The way to nodes, looked at hop by hop, and each node that lets us in: opened once, whatever is asked there."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace

from scupi_provision.errors import ProvisionError
from scupi_provision.host.facts import Facts
from scupi_provision.host.finding import Finding, State, unseen
from scupi_provision.inventory.inventory import Inventory
from scupi_provision.inventory.models import Host
from scupi_provision.run.doctoring import between, keys
from scupi_provision.run.doctoring.logins import CountingPerson
from scupi_provision.run.doctoring.node import Node
from scupi_provision.run.fresh_login import FreshLogin, fresh_login
from scupi_provision.run.request import RunRequest
from scupi_provision.run.routes import connection_of, setting
from scupi_provision.run.session import Session
from scupi_provision.shell import looking
from scupi_provision.transport import examining
from scupi_provision.transport.base import Hop, Route, Transport
from scupi_provision.transport.examined_hop import ExaminedHop
from scupi_provision.transport.opening import open_transport
from scupi_provision.transport.route import check_route

_QUEUE_S = 60.0
"""How long a job may wait in the queue that is there only for a look."""
THE_NODE = "programs"
"""The check that a node runs ours; what is behind it is not seen when it does not."""


@dataclass
class OpenNode:
    """A node that lets us in.

    Attributes:
        transport: The way to it.
        session: Takes programs.
        node: What it told.
        clock: Its clock against ours; None when it did not tell its time.
    """

    transport: Transport
    session: Session
    node: Node
    clock: between.Clock | None

    def ask(self, question: str) -> dict[str, str]:
        """The facts that a program tells."""
        return {reply.name: reply.value for reply in self.session.ask(question)}


@dataclass
class Walk:
    """Goes to one host after another; a hop must be visited before those behind it. `close` it at the end.

    Attributes:
        inventory: Where the hosts are from.
        request: How to log in.
        urls: The addresses of which a host is asked whether they answer.
        now: This computer's clock, seconds since 1970.
    """

    inventory: Inventory
    request: RunRequest
    urls: Callable[[Host], tuple[str, ...]]
    now: Callable[[], float] = time.time
    _ways: dict[str, Transport] = field(default_factory=dict)
    _open: dict[str, OpenNode] = field(default_factory=dict)
    _stack: ExitStack = field(default_factory=ExitStack)

    def __post_init__(self) -> None:
        self._person = CountingPerson(self.request.person)

    @property
    def nodes(self) -> tuple[OpenNode, ...]:
        """Those that let us in, in the order in which they were visited."""
        return tuple(self._open.values())

    def close(self) -> None:
        """Let go of all, the last first."""
        self._stack.close()

    def hops(self, hosts: Sequence[Host]) -> list[Host]:
        """`hosts` and all on the way to them, each once, in an order in which they can be visited.

        Raises:
            InputError: There is no way to one of them that could be gone; nothing was contacted.
        """
        for host in hosts:
            if route := keys.lenient_route(host, self.inventory, self.request):
                check_route(route)
        return list({hop.name: hop for host in hosts for hop in self.inventory.route_hosts(host)}.values())

    def visit(self, host: Host, behind: Sequence[Host] = ()) -> Generator[Finding, None, OpenNode | None]:
        """Look at the way to `host` and open it.

        Args:
            host: Where to go.
            behind: Hosts that are dialled from there: it is asked for their addresses.
        """
        if connection_of(host, self.request) == "local":
            transport: Transport | None = open_transport((), "local")
        else:
            transport = yield from self._way(host)
        if transport is None:
            yield from unseen(host.base, (THE_NODE,), "login is in the way")
            return None
        self._stack.callback(transport.close)
        self._ways[host.base] = transport
        try:
            self._open[host.base] = self._looked_at(host, transport, behind)
        except ProvisionError as error:
            fix = f"provision rescue {host.account or ''}".strip()
            yield Finding(host.base, THE_NODE, State.PROBLEM, _in_a_line(error), error.diagnostic.hint or fix)
            return None
        return self._open[host.base]

    def fresh_login(self, host: Host) -> FreshLogin | str:
        """A fresh login to an open host; where it would take what is not to be had twice, what that is."""
        if self._person.asked:
            return "another code from you"
        if self._open[host.base].transport.way == "slurm":
            return "another job"
        route = keys.lenient_route(host, self.inventory, self.request)
        return fresh_login(route, self._person, connection=connection_of(host, self.request))

    # --- the way ----------------------------------------------------------------------------------------------------

    def _way(self, host: Host) -> Generator[Finding, None, Transport | None]:
        own = keys.own_keys(host, self.request)
        yield from own.findings
        hop = keys.lenient_hop(host, self.inventory, self.request, own)
        before = self._ways.get(host.via or "")
        if host.via and before is None:
            yield from unseen(host.base, examining.CHECKS, f"{host.via} is in the way")
            return None
        if before is not None and (hop.reach in {"nested", "slurm"} or not isinstance(before, ExaminedHop)):
            return (yield from self._other_way(host, []))
        return (yield from self._examined(host, hop, before if isinstance(before, ExaminedHop) else None))

    def _examined(
        self, host: Host, hop: Hop, through: ExaminedHop | None
    ) -> Generator[Finding, None, Transport | None]:
        before = self._open.get(host.via or "")  # its programs may not run, and yet it forwards
        resolved = before.node.resolved.get(hop.address) if before else None
        examination = examining.examine(hop, through, self._person, resolved, owner=self.request.person)
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
        if opened is None and through is not None and held[0].check not in {"name", "host key"}:
            return (yield from self._other_way(host, held))
        yield from held
        return opened

    def _other_way(self, host: Host, direct: Sequence[Finding]) -> Generator[Finding, None, Transport | None]:
        """Nested, or by a job; `direct` is what is wrong with the jump, if that was tried."""
        try:
            route = _impatient(keys.lenient_route(host, self.inventory, self.request))
            transport = open_transport(route, "ssh", self._person)
        except ProvisionError as error:
            failed = Finding(host.base, "login", State.PROBLEM, _in_a_line(error), error.diagnostic.hint)
            yield from direct or [failed]
            return None
        how = transport.explanation or "reached"
        if direct:
            yield Finding(host.base, direct[0].check, State.WARNING, f"{direct[0].what}; {how}", direct[0].fix)
        if not direct or direct[0].check != "login":
            yield Finding(host.base, "login", State.OK, f"{transport.way}: {how}")
        return transport

    # --- the node behind it -----------------------------------------------------------------------------------------

    def _looked_at(self, host: Host, transport: Transport, behind: Sequence[Host]) -> OpenNode:
        session = Session(
            transport,
            run_id=f"doctor-{secrets.token_hex(4)}",
            owner="provision doctor",
            login_timeout_s=self._login_timeout_s(host),
            account=host.account or "",
        )
        self._stack.callback(session.close)
        session.ask(looking.define())  # opens the shell, so that the clock is asked on an open line
        before = self.now()
        told = [reply.value for reply in session.ask(looking.clock()) if reply.name == "clock"]
        after = self.now()
        clock = between.Clock.read(before, int(told[0]), after) if told and told[0].isdecimal() else None
        names = tuple(str(setting(other, self.request, "ansible_host", other.base)) for other in behind)
        public_keys = transport.public_keys if isinstance(transport, ExaminedHop) else ()
        urls = self.urls(host)
        raw = {reply.name: reply.value for reply in session.ask(looking.look(names, public_keys, urls))}
        reason = str(setting(host, self.request, "torch_cpu_reason", ""))
        node = Node(host.base, Facts(raw), host.via is not None, reason, public_keys, urls, names)
        return OpenNode(transport, session, node, clock)

    def _login_timeout_s(self, host: Host) -> float:
        route = keys.lenient_route(host, self.inventory, self.request)
        return route[-1].login_timeout_s if route else Hop(host.base, host.base).login_timeout_s


def _impatient(route: Route) -> Route:
    """The route with jobs that are not waited for as long as an apply waits."""
    return tuple(replace(hop, job=replace(hop.job, wait_s=min(hop.job.wait_s, _QUEUE_S))) for hop in route)


def _in_a_line(error: ProvisionError) -> str:
    told = error.diagnostic
    return ": ".join(part for part in (told.summary, "; ".join(told.detail.split("\n"))) if part)
