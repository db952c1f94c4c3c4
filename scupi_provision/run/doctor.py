"""`provision doctor`: the way to every node and the nodes themselves, looked at as far as it goes. Changes nothing."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

from scupi_provision.errors import ProvisionError
from scupi_provision.host.finding import Finding, State
from scupi_provision.inventory.inventory import Inventory
from scupi_provision.inventory.models import Host
from scupi_provision.run.doctoring import between, home, logins, machine
from scupi_provision.run.doctoring.walk import OpenNode, Walk
from scupi_provision.run.request import RunRequest
from scupi_provision.run.routes import setting
from scupi_provision.shell import looking
from scupi_provision.transport.examined_hop import ExaminedHop

UPSTREAMS = ("https://www.kernel.org/", "https://www.python.org/", "https://github.com/")
"""Where git, Python and Miniforge come from when the inventory names no mirrors (roles/sources)."""
_MOST_SOURCES = 8


def doctor(
    inventory: Inventory, request: RunRequest, hosts: Sequence[Host], now: Callable[[], float] = time.time
) -> Iterator[Finding]:
    """Every finding about `hosts` and the hops on the way to them, each as soon as it is known.

    Nothing is changed, but for a file in ~/.provision by which two nodes are seen to have one home; it is removed.

    Args:
        inventory: Where the hosts are from.
        request: How to log in.
        hosts: The nodes that are meant, all of one account.
        now: This computer's clock, seconds since 1970.

    Raises:
        InputError: The inventory has no way to a host, or a variable that decides about it is wrong.
    """
    walk = Walk(inventory, request, lambda host: _sources(host, request), now)
    try:
        hops = walk.hops(hosts)
        for host in hops:
            opened = yield from walk.visit(host, [other for other in hops if other.via == host.base])
            if opened is not None:
                yield from _examined(walk, host, opened)
        yield from _between(walk.nodes)
    finally:
        walk.close()


def exit_code(findings: Sequence[Finding]) -> int:
    """0 when all is well or only warned of, 3 when a node could not be reached, 1 for any other problem."""
    if any(found.check == "login" and found.state in {State.PROBLEM, State.UNSEEN} for found in findings):
        return 3
    return 1 if any(found.state is State.PROBLEM for found in findings) else 0


def _sources(host: Host, request: RunRequest) -> tuple[str, ...]:
    """The first address of each kind of source that the inventory names."""
    names = [name for name in host.variables.merged() if name.startswith("sources_")]
    named = [setting(host, request, name) for name in names]
    urls = [str(value[0]) for value in named if isinstance(value, list) and value and "://" in str(value[0])]
    return tuple(dict.fromkeys(urls or UPSTREAMS))[:_MOST_SOURCES]


def _examined(walk: Walk, host: Host, opened: OpenNode) -> Iterator[Finding]:
    node = opened.node
    for check in (*machine.CHECKS, *home.CHECKS):
        yield check(node)
    yield between.clock(node.name, opened.clock)
    by_ssh = isinstance(opened.transport, ExaminedHop)
    yield from logins.told(node.name, walk.fresh_login(host), host.account or "", by_ssh=by_ssh)


# --- two nodes -------------------------------------------------------------------------------------------------------


def _between(nodes: Sequence[OpenNode]) -> Iterator[Finding]:
    yield from between.clocks([(each.node.name, each.clock) for each in nodes if each.clock is not None])
    for one, other in pairwise(nodes):
        yield between.c_libraries(one.node, other.node)
        try:
            yield _shared_home(one, other)
        except ProvisionError as error:
            what = f"not looked at: {error.diagnostic.summary}"
            yield Finding(f"{one.node.name} and {other.node.name}", "one home", State.UNSEEN, what)


def _shared_home(one: OpenNode, other: OpenNode) -> Finding:
    """Put a mark into the home of one node and open it on the other; it is taken away again."""
    name = f"doctor-{secrets.token_hex(8)}"
    put, _, made = one.ask(looking.mark(name)).get("mark", "").partition(" ")
    if put != "yes":
        return between.shared_home(one.node, other.node, None)
    try:
        seconds = other.ask(looking.find_mark(name, between.wait_for(one.node, other.node))).get("marked", "-")
        return between.shared_home(one.node, other.node, seconds)
    finally:
        one.ask(looking.unmark(name, made_folder=bool(made)))
