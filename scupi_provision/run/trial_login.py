"""Whether an account can log in: every host at the end of a way is opened, and with it every hop before it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from scupi_provision.errors import LoginShellError, ProvisionError
from scupi_provision.events import HostConnected, Notice
from scupi_provision.inventory.inventory import Inventory
from scupi_provision.inventory.models import Host
from scupi_provision.run.fleet import Fleet
from scupi_provision.run.introductions import Introductions
from scupi_provision.run.request import RunRequest
from scupi_provision.run.routes import connection_of, route_to
from scupi_provision.transport.opening import open_transport


@dataclass(frozen=True)
class TrialLogin:
    """How it went.

    Attributes:
        hosts: Base names of all hops that let the account in, in the order of the way.
        warnings: What else was seen: a shell that prints, or lets no program begin.
        error: Why a host could not be reached, or None.
    """

    hosts: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    error: ProvisionError | None = None


def try_login(inventory: Inventory, request: RunRequest, account: str, introductions: Introductions) -> TrialLogin:
    """Log in on every host of `account`; raises nothing that a host is to blame for."""
    request = replace(request, person=introductions)
    passed: dict[str, None] = {}
    warnings: list[str] = []
    fleet = Fleet(inventory, request, "inventory add")
    ends = ends_of(inventory, account, request.limit)
    try:
        for event in fleet.open(ends):
            if isinstance(event, Notice):
                warnings.append(event.text)
            elif isinstance(event, HostConnected):
                passed |= dict.fromkeys((*event.via, event.host.rpartition("@")[2]))
        for host in ends:
            error = fleet.errors.get(host.name)
            if isinstance(error, LoginShellError):  # the key is right: `provision rescue` needs the account
                passed |= dict.fromkeys(hop.base for hop in inventory.route_hosts(host))
                warnings.append(f"{host.base}: {error.diagnostic.summary}; see `provision rescue {account}`")
            elif error is not None:
                return TrialLogin(tuple(passed), tuple(warnings), error)
            if connection_of(host, request) == "ssh":
                _compare(introductions, inventory, request, host)
    except ProvisionError as error:
        return TrialLogin(tuple(passed), tuple(warnings), error)
    finally:
        fleet.close()
    return TrialLogin(tuple(passed), tuple(dict.fromkeys(warnings)))


def ends_of(inventory: Inventory, account: str | None, limit: str | None = None) -> list[Host]:
    """The hosts of an account that no other of its hosts is reached through: their ways cover every hop."""
    mine = [host for host in inventory.select("all", limit) if host.account == account]
    passed_through = {host.via for host in mine}
    return [host for host in mine if host.base not in passed_through] or mine


def _compare(introductions: Introductions, inventory: Inventory, request: RunRequest, host: Host) -> None:
    """Hosts that were known before were not asked about; where a fingerprint was given, they must have it too."""
    route = route_to(host, inventory, request)
    pinned = introductions.pinned(route)
    if pinned != route:
        open_transport(pinned, "ssh", introductions).close()
