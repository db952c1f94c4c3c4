"""Which logins have to work after a change on a host, and how long the host waits to hear of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from scupi_provision.errors import InputError
from scupi_provision.inventory.models import Host
from scupi_provision.playbook.models import Play
from scupi_provision.playbook.templating import Templar
from scupi_provision.run.fleet import Fleet, Link
from scupi_provision.run.guard import LoginGuard, Way
from scupi_provision.run.request import RunRequest
from scupi_provision.run.routes import connection_of, login_timeout_s, route_to
from scupi_provision.shell.guarding import GUARD_SECONDS
from scupi_provision.source import diagnostic

_LONGEST_S = 24 * 3600
"""Beyond this, somebody has mistaken the unit."""


def login_guard(
    fleet: Fleet, host: Host, others: Iterable[Host], play: Play | None = None, link: Link | None = None
) -> LoginGuard:
    """The guard of one open host: a change there must leave logins on it, on all on the way to it, and on `others`.

    The home is shared, so what is changed on one host of an account decides about logins on the others as well.
    """
    link = link or fleet.links[host.name]
    ways: dict[tuple[object, ...], Way] = {}
    for target in (host, *others):
        connection = connection_of(target, fleet.request)
        route = route_to(target, fleet.inventory, fleet.request)
        # A shell in a job is no login, reads other files, and may wait in a queue for as long as the guard.
        most = len(route) - 1 if _is_by_job(fleet, target) else len(route)
        lengths = range(most, 0, -1) if connection == "ssh" else [0]
        for length in lengths:
            hops = route[:length]
            name = hops[-1].name if hops else target.base
            limit_s = hops[-1].login_timeout_s if hops else login_timeout_s(target, fleet.request)
            ways.setdefault(hops, Way(name, hops, connection, limit_s))
    home = link.snapshot.facts.home if link.snapshot.facts else "/"
    seconds = guard_seconds(host, fleet.request, play)
    return LoginGuard(host.label, home, link.session, tuple(ways.values()), fleet.request.person, seconds)


def _is_by_job(fleet: Fleet, host: Host) -> bool:
    link = fleet.links.get(host.name)
    return link is not None and link.transport.way == "slurm"


def guard_seconds(host: Host, request: RunRequest, play: Play | None = None) -> int:
    """`provision_guard_seconds`: how long the host waits for a verdict; 0 turns the guard off.

    Raises:
        InputError: It is no such number.
    """
    variables = {**host.variables.merged(), "inventory_hostname": host.name}
    mappings: Iterable[Mapping[str, Any]] = (*(play.variables if play else ()), request.extra)
    for mapping in mappings:
        variables |= mapping
    value = Templar(variables).variables.get("provision_guard_seconds", GUARD_SECONDS)
    try:
        seconds = int(str(value))
    except ValueError:
        seconds = -1
    if 0 <= seconds <= _LONGEST_S:
        return seconds
    hint = "whole seconds, such as 90; 0 turns the lockout guard off"
    raise InputError.of([diagnostic(f'provision_guard_seconds "{value}" is not a time', host.where, hint=hint)])
