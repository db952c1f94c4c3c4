"""Whether a route can be dialled at all: host names and ports are checked before anything is sent anywhere."""

from __future__ import annotations

import ipaddress

from scupi_provision.errors import InputError
from scupi_provision.transport.base import Hop, Route

_NAME_PUNCTUATION = ".-_"


def check_route(route: Route) -> None:
    """Raise InputError unless every hop has an address, port and user that can mean only themselves.

    Addresses end up in known_hosts lookups, in messages with commands to copy, and (nested transport) on an ssh
    command line, where `-oProxyCommand=…` or `$(…)` would be run (the family of CVE-2017-1000117, CVE-2023-51385).
    """
    if not route:
        raise InputError("A route needs at least one host")
    for hop in route:
        check_address(hop.address, hop.name)
        if not 1 <= hop.port <= 65535:
            raise InputError(
                f"{printable(hop.name)}: port {hop.port} is not a TCP port", hint="use a number from 1 to 65535"
            )
        if hop.user.startswith("-") or not hop.user.isprintable() or " " in hop.user:
            raise InputError(f"{printable(hop.name)}: {printable(hop.user)} is not a login name")


def check_address(address: str, name: str) -> None:
    """Raise InputError unless `address` is a host name or an IP address, and nothing else."""
    if is_ip_address(address):
        return
    strange = sorted({char for char in address if not (char.isalnum() or char in _NAME_PUNCTUATION)})
    if not address or strange or address.startswith("-"):
        found = f"it contains {', '.join(map(printable, strange))}" if strange else "it begins with '-'"
        raise InputError(
            f"{printable(name)}: {printable(address)} is not a host name",
            detail=found if address else "it is empty",
            hint="write a name such as admin1.example.edu or an IP address; the port is a setting of its own",
        )


def is_ip_address(text: str) -> bool:
    """Whether `text` is an IPv4 or IPv6 address (with a zone such as `%eth0` only for IPv6)."""
    address, _, zone = text.partition("%")
    try:
        version = ipaddress.ip_address(address).version
    except ValueError:
        return False
    return not zone or (version == 6 and zone.isascii() and zone.isalnum())


def printable(text: str) -> str:
    """Untrusted text for a message: quoted and escaped unless it is a plain word."""
    return text if text and all(char.isalnum() or char in "._-:[]" for char in text) else ascii(text)


def described(hop: Hop) -> str:
    """A hop for messages: its inventory name, and where it is dialled when that says more."""
    address = hop.address if hop.port == 22 else f"{_bracketed(hop.address)}:{hop.port}"
    return printable(hop.name) if hop.name == address else f"{printable(hop.name)} ({address})"


def _bracketed(address: str) -> str:
    return f"[{address}]" if ":" in address else address
