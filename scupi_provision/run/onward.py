"""How far our own SSH goes on a route, and what is run there to go the rest of the way."""

from __future__ import annotations

from scupi_provision.shell.words import words
from scupi_provision.transport.base import Hop, Route


def split_route(route: Route, command: str = "") -> tuple[Route, str]:
    """The hops that we dial ourselves, and what to run on the last of them so that `command` runs at the route's end.

    Behind the first hop that is reached only from the one before (`provision_reach: nested` or `slurm`) nothing of ours
    goes; there the programs of the login node do. Without `command` it is a shell on a terminal.
    """
    ours = next((index for index, hop in enumerate(route) if index and hop.reach in {"nested", "slurm"}), len(route))
    for hop in reversed(route[ours:]):
        command = _step(hop, command)
    return route[:ours], command


def _step(hop: Hop, command: str) -> str:
    if hop.reach == "slurm":
        return words(
            "srun", "--pty", f"--nodelist={hop.address}", *(["sh", "-c", command] if command else ["sh", "-l"])
        )
    login = ["ssh", "-t", "-p", str(hop.port), "-l", hop.user, hop.address]
    return words(*login, *([command] if command else []))
