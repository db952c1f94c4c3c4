"""`provision jupyter`: a Jupyter server on a GPU node, at a port of this computer. Started, listed, ended."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from functools import partial
from urllib.parse import quote

from scupi_provision.errors import InputError, ProvisionError, UnreachableError
from scupi_provision.events import Event, HostUnreachable, Notice
from scupi_provision.host.notebooks import JupyterServer
from scupi_provision.inventory.inventory import Inventory
from scupi_provision.inventory.load import load_inventory
from scupi_provision.inventory.models import Host
from scupi_provision.run.choosing import choose_account, choose_host
from scupi_provision.run.fleet import Fleet, Link
from scupi_provision.run.notebook.environment import Environment, Interface, find_environment
from scupi_provision.run.notebook.installing import install_jupyter
from scupi_provision.run.notebook.server import running_servers, start_server, stop_server
from scupi_provision.run.notebook.tunnel import Tunnel
from scupi_provision.run.opened import opened
from scupi_provision.run.request import RunRequest
from scupi_provision.transport.forwarding import ADDRESS, LocalPort
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
    """

    host: Host
    server: JupyterServer
    url: Secret
    port: int
    wanted_port: int
    version: str
    joined: bool


@dataclass(frozen=True)
class Listed:
    """The servers of an account on one node."""

    host: Host
    servers: tuple[JupyterServer, ...]


def jupyter(request: RunRequest, wish: JupyterWish, consent: Consent) -> Iterator[Event | Serving]:
    """Have Jupyter run on the node and answer here; yields what happens, without end once it serves.

    Closing the generator closes the port. The server goes on.

    Raises:
        InputError: The wish names something that is not there.
        ProvisionError: Jupyter could not be installed, started or reached.
    """
    inventory = load_inventory(request.inventory)
    inventory.require_accounts()
    host = node_of(inventory, wish.node, wish.account)
    open_link = partial(opened, inventory, request, host, "jupyter")
    with ExitStack() as connection:
        link = connection.enter_context(open_link())
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
        tunnel = Tunnel(server, open_link, link, connection.pop_all())
    with tunnel, closing(LocalPort(tunnel.open_stream, _apology, port=wish.port)) as port:
        url = Secret(_url(port.port, server, environment.page(wish.interface)))
        yield Serving(host, server, url, port.port, wish.port, _version(port.port, server), joined)
        yield from tunnel.events()


def jupyter_servers(request: RunRequest, node: str | None, account: str | None) -> Iterator[Event | Listed]:
    """The servers on `node`, or on every host of the account; a host that cannot be reached is told of.

    Raises:
        InputError: There is no such host or account.
    """
    inventory = load_inventory(request.inventory)
    inventory.require_accounts()
    fleet = Fleet(inventory, request, "jupyter")
    hosts = _hosts(inventory, node, account)
    try:
        for event in fleet.open(hosts):
            if isinstance(event, HostUnreachable):
                yield event
        for host in hosts:
            if host.name not in fleet.errors:
                servers = running_servers(fleet.links[host.name].session, host.base)
                yield Listed(host, tuple(servers))
    finally:
        fleet.close()


def stop_jupyter(
    request: RunRequest, node: str | None, account: str | None, key: str | None, *, every: bool = False
) -> Iterator[Notice]:
    """End the server called `key` (or whose environment is), every one, or the only one; yields what was ended.

    Raises:
        InputError: There is no such server, or nothing says which is meant.
        ProvisionError: A node cannot be reached, or could not end it.
    """
    inventory = load_inventory(request.inventory)
    inventory.require_accounts()
    fleet = Fleet(inventory, request, "jupyter")
    hosts = _hosts(inventory, node, account)
    try:
        for _ in fleet.open(hosts):
            pass
        if fleet.errors:
            raise next(iter(fleet.errors.values()))
        there = [(host, one) for host in hosts for one in running_servers(fleet.links[host.name].session, host.base)]
        for host, server in _meant(there, key, every=every):
            stop_server(fleet.links[host.name].session, server.key)
            yield Notice(f"ended the server of {server.environment}, and its kernels", host.label)
    finally:
        fleet.close()


# --- which host, which server -------------------------------------------------------------------------------------


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


def _hosts(inventory: Inventory, node: str | None, account: str | None) -> list[Host]:
    if node is not None:
        return [choose_host(inventory, node, account)]
    mine = choose_account(inventory, account)
    return [host for host in inventory.hosts if host.account == mine]


def _meant(
    there: Sequence[tuple[Host, JupyterServer]], key: str | None, *, every: bool
) -> list[tuple[Host, JupyterServer]]:
    if every:
        return list(there)
    named = [(host, one) for host, one in there if key in {None, one.key, one.environment, _name(one)}]
    if len(named) == 1:
        return named
    if not named:
        known = ", ".join(one.key for _, one in there)
        hint = f"there is: {known}" if known else "provision jupyter --list shows what there is"
        raise InputError(f"there is no Jupyter server {key}" if key else "there is no Jupyter server", hint=hint)
    lines = "\n".join(f"{one.key}  {one.environment} on {host.base}" for host, one in named)
    raise InputError("there are several Jupyter servers", detail=lines, hint="name one, or end them --all")


def _name(server: JupyterServer) -> str:
    return server.environment.rsplit("/", 1)[-1]


# --- installing ---------------------------------------------------------------------------------------------------


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


# --- the port -----------------------------------------------------------------------------------------------------


def _url(port: int, server: JupyterServer, page: str) -> str:
    token = server.token.reveal()
    return f"http://{ADDRESS}:{port}{server.base_url}{page}" + (f"?token={quote(token)}" if token else "")


def _version(port: int, server: JupyterServer) -> str:
    """Ask the server through the port, as a browser will: what was said to serve has answered once.

    Raises:
        UnreachableError: It does not answer.
    """
    line = http.client.HTTPConnection(ADDRESS, port, timeout=_ANSWER_S)
    try:
        line.request("GET", f"{server.base_url}api", headers={"Authorization": f"token {server.token.reveal()}"})
        answer = line.getresponse()
        text = answer.read()
    except (OSError, http.client.HTTPException) as error:
        raise UnreachableError("the server does not answer through the tunnel", detail=str(error)) from error
    finally:
        line.close()
    if answer.status != http.client.OK:
        raise UnreachableError("the server does not answer through the tunnel", detail=text.decode("utf-8", "replace"))
    return str(json.loads(text).get("version", ""))


def _apology(error: UnreachableError) -> bytes:
    """What a browser shows while there is no way to the server."""
    body = f"{error}\n\nprovision tries again with the next request.\n".encode()
    head = "HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body
