"""Opening the right kind of transport. SSH is imported only when it is used: Fabric takes a quarter of a second."""

from __future__ import annotations

from typing import Literal

from scupi_provision.transport.base import Nobody, Person, Route, Transport


def open_transport(
    route: Route, connection: Literal["ssh", "local"] = "ssh", person: Person | None = None
) -> Transport:
    """Open the way to the last hop of `route`, or a local process when `connection` is "local" (`route` is unused).

    `person` is asked for passphrases and codes, and whether a host that is not known may be trusted; by default
    nobody is. Raises InputError or UnreachableError, as `ssh.connect` and `LocalTransport` say.
    """
    if connection == "local":
        from scupi_provision.transport.local import LocalTransport  # noqa: PLC0415 - only one of the two is needed

        return LocalTransport()
    from scupi_provision.transport.ssh import connect  # noqa: PLC0415 - slow to import

    return connect(route, person=person or Nobody())
