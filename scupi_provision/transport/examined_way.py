"""The first two things to know of a hop: what its name means, and whether something answers there."""

from __future__ import annotations

import socket
from contextlib import suppress

import paramiko

from scupi_provision.errors import ProvisionError
from scupi_provision.transport.base import Hop
from scupi_provision.transport.examined_hop import ExaminedHop
from scupi_provision.transport.failures import CONNECTION_ERRORS, dialling_failed, forwarding_failed
from scupi_provision.transport.route import is_ip_address, printable

Line = socket.socket | paramiko.Channel
UNKNOWN_NAME = "-"
_NO_ADVICE = "try again in a while; if it stays so, send this line to the administrator"


class ObstacleError(Exception):
    """Nothing behind this step can be looked at."""

    def __init__(self, what: str, fix: str) -> None:
        super().__init__(what)
        self.what = what
        self.fix = fix

    @classmethod
    def of(cls, error: ProvisionError) -> ObstacleError:
        """What an error says, on one line."""
        told = error.diagnostic
        detail = "; ".join(told.detail.split("\n")) if told.detail else ""
        return cls(f"{told.summary}{': ' if detail else ''}{detail}", told.hint or _NO_ADVICE)


def meaning_of(hop: Hop, through: ExaminedHop | None, resolved: str | None) -> str:
    """What the hop's address means where it is looked up, in words.

    Args:
        hop: The hop.
        through: The hop before.
        resolved: What programs on the hop before take the address to be; None when they could not be asked.

    Raises:
        ObstacleError: Nobody knows the name there.
    """
    if is_ip_address(hop.address):
        return f"{hop.address} is an address, there is no name to look up"
    if through is None:
        return f"{hop.address} is {_looked_up(hop)} here"
    if resolved is None:
        return f"{hop.address}, looked up on {through.hop.name}"
    if resolved != UNKNOWN_NAME:
        return f"{hop.address} is {resolved} on {through.hop.name}"
    # It is the SSH server that looks it up when it forwards, and that may know more than other programs.
    try:
        line = _forwarded(hop, through)
    except CONNECTION_ERRORS as error:
        what = f"the name {printable(hop.address)} is not known on {through.hop.name}"
        raise ObstacleError(what, f"correct `ansible_host` of {hop.name} in the inventory") from error
    with suppress(*CONNECTION_ERRORS):
        line.close()
    return f"{hop.address} is known to the SSH server of {through.hop.name}"


def _looked_up(hop: Hop) -> str:
    try:
        answers = socket.getaddrinfo(hop.address, hop.port, type=socket.SOCK_STREAM)
    except OSError as error:
        what = f"the name {printable(hop.address)} is not known here"
        fix = f"correct `ansible_host` of {hop.name} in the inventory; if it is right, join its network (VPN)"
        raise ObstacleError(what, fix) from error
    return str(answers[0][4][0])


def line_to(hop: Hop, through: ExaminedHop | None) -> Line:
    """A line to the hop's port: from here, or forwarded by the hop before.

    Raises:
        ObstacleError: Nothing answers there, or the hop before does not forward.
    """
    if through is not None:
        try:
            return _forwarded(hop, through)
        except CONNECTION_ERRORS as error:
            raise ObstacleError.of(forwarding_failed(error, hop, through.hop, through.transport)) from error
    try:
        line = socket.create_connection((hop.address, hop.port), timeout=hop.connect_timeout_s)
    except OSError as error:
        raise ObstacleError.of(dialling_failed(error, hop)) from error
    line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return line


def _forwarded(hop: Hop, through: ExaminedHop) -> paramiko.Channel:
    destination, origin = (hop.address, hop.port), ("127.0.0.1", 0)
    return through.transport.open_channel("direct-tcpip", destination, origin, timeout=hop.connect_timeout_s)
