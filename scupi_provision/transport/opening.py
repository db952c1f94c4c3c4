"""Opening the right kind of transport. SSH is imported only when it is used: Fabric takes a quarter of a second."""

from __future__ import annotations

from typing import Any, Literal

from scupi_provision.transport.base import Nobody, Person, Route, Tell, Transport, untold
from scupi_provision.transport.shared_hops import SharedHops


def open_transport(
    route: Route,
    connection: Literal["ssh", "local"] = "ssh",
    person: Person | None = None,
    hops: SharedHops[Any] | None = None,
    tell: Tell = untold,
) -> Transport:
    """Open the way to the last hop of `route`, or a local process when `connection` is "local" (`route` is unused).

    Args:
        route: The hops.
        connection: How.
        person: Who is asked for passphrases, codes, and whether an unknown host may be trusted; by default nobody is.
        hops: Those that other routes of the run have opened; they are gone through again.
        tell: Told what is waited for.

    Raises:
        InputError: The route, a key file or a pinned key is unusable.
        UnreachableError: A hop cannot be reached, or lets us not in.
    """
    if connection == "local":
        from scupi_provision.transport.local import LocalTransport  # noqa: PLC0415 - only one of the two is needed

        return LocalTransport()
    from scupi_provision.transport.ssh import connect  # noqa: PLC0415 - slow to import

    return connect(route, person=person or Nobody(), hops=hops, tell=tell)
