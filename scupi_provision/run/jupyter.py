"""`provision jupyter`: a Jupyter server on a GPU node, at a port of this computer. Started, listed, ended."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from functools import partial

from scupi_provision.errors import InputError, ProvisionError
from scupi_provision.events import Event, Notice
from scupi_provision.host.notebooks import JupyterServer
from scupi_provision.inventory.inventory import Inventory
from scupi_provision.inventory.load import load_inventory
from scupi_provision.inventory.models import Host
from scupi_provision.run.choosing import choose_account, choose_host
from scupi_provision.run.fleet import Link
from scupi_provision.run.notebook.answering import address_of, apology, ask_version
from scupi_provision.run.notebook.environment import Environment, Interface, find_environment
from scupi_provision.run.notebook.installing import install_jupyter
from scupi_provision.run.notebook.server import running_servers, start_server
from scupi_provision.run.notebook.tunnel import Tunnel
from scupi_provision.run.opened import opened
from scupi_provision.run.request import RunRequest
from scupi_provision.transport.forwarding import LocalPort
from scupi_provision.values import Secret

PORT = 8888
"""Where people expect Jupyter."""

_NFS_CACHE_S = 60.0
"""How long a node may go on seeing the shared home as it was (acdirmax of nfs(5))."""
_ANSWER_S = 30.0

Consent = Callable[[Host, Environment, tuple[str, ...]], bool]
"""Asked before packages are installed: on which host, into what, which."""


@dataclass(frozen=True)
class JupyterWish:
    """What somebody wants of Jupyter.

    Attributes:
        node: The host on which it shall run; None for the only one that is reached through another.
        account: Whose it is; None for the only account there is.
        environment: The name or path of the Python environment; None for `torch`, or the only one there is.
        port: The port of this computer; the next free one is taken when it is not free.
        interface: What is shown in the browser; None for what the environment has.
    """

    node: str | None = None
    account: str | None = None
    environment: str | None = None
    port: int = PORT
    interface: Interface | None = None


@dataclass(frozen=True)
class Serving:
    """The server answers at a port of this computer.

    Attributes:
        host: Where it runs.
        server: What the node says of it.
        url: What to open in a browser; whoever has it may run programs as the account.
        port: The port.
        wanted_port: The one that was asked for.
        version: Of jupyter_server.
        joined: Whether it ran before.
        lasts: Whether it goes on without us; what runs in a job of Slurm ends with the job.
    """

    host: Host
    server: JupyterServer
    url: Secret
    port: int
    wanted_port: int
    version: str
    joined: bool
    lasts: bool


def jupyter(request: RunRequest, wish: JupyterWish, consent: Consent) -> Iterator[Event | Serving]:
    """Have Jupyter run on the node and answer here; yields what happens until the server has ended.

    Closing the generator closes the port. The server goes on, unless it runs in a job of Slurm, which ends then.

    Raises:
        InputError: The wish names something that is not there.
        ProvisionError: Jupyter could not be installed, started or reached.
    """
    inventory = load_inventory(request.inventory, also=request.more_inventories)
    inventory.require_accounts()
    host = node_of(inventory, wish.node, wish.account)
    open_link = partial(opened, inventory, request, host, "jupyter")
    with ExitStack() as connection:
        link = connection.enter_context(open_link())
        if link.transport.explanation:
            yield Notice(link.transport.explanation, host.base)
        environment = find_environment(link.session, wish.environment)
        if missing := environment.missing(wish.interface):
            yield from _install(inventory, request, host, environment, missing, consent)
            environment = _seen_again(link, environment, wish.interface)
        known = {one.key: one for one in running_servers(link.session, host.base)}
        server = JupyterServer("")
        for told in start_server(link.session, host.base, environment):
            if isinstance(told, JupyterServer):
                server = told
            else:
                yield told
        joined = server.key in known and known[server.key].pid == server.pid
        lasts = link.transport.way != "slurm"
        tunnel = Tunnel(server, open_link, link, connection.pop_all())
    with tunnel, closing(LocalPort(tunnel.open_stream, apology, port=wish.port)) as port:
        url = address_of(port.port, server, environment.page(wish.interface))
        version = ask_version(port.port, server)
        yield Serving(host, server, url, port.port, wish.port, version, joined=joined, lasts=lasts)
        try:
            yield from tunnel.events()
        finally:
            if not lasts and not joined:
                tunnel.stop_server()


def node_of(inventory: Inventory, node: str | None, account: str | None) -> Host:
    """The host that is meant: the one named, else the only one of the account that is reached through another.

    Raises:
        InputError: There is no such host, or there are several.
    """
    if node is not None:
        return choose_host(inventory, node, account)
    mine = choose_account(inventory, account)
    hosts = [host for host in inventory.hosts if host.account == mine]
    behind = [host for host in hosts if host.via is not None] or hosts
    if len(behind) == 1:
        return behind[0]
    names = ", ".join(host.base for host in behind)
    raise InputError("there are several hosts on which Jupyter could run", hint=f"name one with --node: {names}")


def _install(
    inventory: Inventory,
    request: RunRequest,
    host: Host,
    environment: Environment,
    missing: tuple[str, ...],
    consent: Consent,
) -> Iterator[Event]:
    """Install on the host before the node: a GPU node often has no internet, and it is the same home."""
    route = inventory.route_hosts(host)
    installs = route[-2] if len(route) > 1 else host
    if not consent(installs, environment, missing):
        names = ", ".join(missing)
        raise ProvisionError(
            f"{environment.path} has no {names}",
            hint="let them be installed with --yes, or by the role jupyter of your playbook",
        )
    yield from install_jupyter(request, installs, host, environment.path, missing)


def _seen_again(link: Link, environment: Environment, interface: Interface | None) -> Environment:
    """The environment as the node sees it after the installation; over NFS it may take a while."""
    deadline = time.monotonic() + _NFS_CACHE_S
    while True:
        found = find_environment(link.session, environment.path)
        if not found.missing(interface):
            return found
        if time.monotonic() > deadline:
            raise ProvisionError(
                f"{link.host.base} does not see what was installed in {environment.path}",
                hint="do the nodes share the home? provision doctor tells",
            )
        time.sleep(1.0)
