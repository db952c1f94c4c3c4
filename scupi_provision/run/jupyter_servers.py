"""`provision jupyter --list` and `--stop`: the Jupyter servers that an account has on its hosts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from scupi_provision.errors import InputError
from scupi_provision.events import Event, HostUnreachable, Notice
from scupi_provision.host.notebooks import JupyterServer
from scupi_provision.inventory.inventory import Inventory
from scupi_provision.inventory.load import load_inventory
from scupi_provision.inventory.models import Host
from scupi_provision.run.choosing import choose_account, choose_host
from scupi_provision.run.fleet import Fleet
from scupi_provision.run.notebook.server import running_servers, stop_server
from scupi_provision.run.request import RunRequest


@dataclass(frozen=True)
class Listed:
    """The servers of an account on one node."""

    host: Host
    servers: tuple[JupyterServer, ...]


def jupyter_servers(request: RunRequest, node: str | None, account: str | None) -> Iterator[Event | Listed]:
    """The servers on `node`, or on every host of the account; a host that cannot be reached is told of.

    Raises:
        InputError: There is no such host or account.
    """
    inventory = load_inventory(request.inventory, also=request.more_inventories)
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
    inventory = load_inventory(request.inventory, also=request.more_inventories)
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
