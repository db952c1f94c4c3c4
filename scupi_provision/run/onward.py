"""How far our own SSH goes on a route, and what is run there to go the rest of the way."""

from __future__ import annotations

from scupi_provision.shell.going_on import by_job, by_ssh
from scupi_provision.transport.base import Hop, Route


def split_route(route: Route, command: str = "", *, terminal: bool) -> tuple[Route, str]:
    """The hops that we dial ourselves, and what to run on the last of them so that `command` runs at the route's end.

    Behind the first hop that is reached only from the one before (`provision_reach: nested` or `slurm`) nothing of ours
    goes; there the programs of the login node do.

    Args:
        route: The way.
        command: Shell text for the last hop; "" for a shell of the account.
        terminal: Whether it runs on a terminal.
    """
    ours = next((index for index, hop in enumerate(route) if index and hop.reach in {"nested", "slurm"}), len(route))
    for hop in reversed(route[ours:]):
        command = _step(hop, command, terminal=terminal)
    return route[:ours], command


def _step(hop: Hop, command: str, *, terminal: bool) -> str:
    if hop.reach == "slurm":
        return by_job(hop.address, hop.job.time, hop.job.options, command, terminal=terminal)
    return by_ssh(hop.address, hop.port, hop.user, command, terminal=terminal)
