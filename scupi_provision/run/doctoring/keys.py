"""The account's key files on this computer, before they are shown to anybody."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from scupi_provision.access.keys import KeyFormat, check_private_key
from scupi_provision.errors import InputError
from scupi_provision.host.finding import Finding, State
from scupi_provision.inventory.inventory import Inventory
from scupi_provision.inventory.models import Host
from scupi_provision.run.request import RunRequest
from scupi_provision.run.routes import connection_of, route_to, setting
from scupi_provision.transport.base import Hop, Route

CHECK = "key file"
_KEY = "ansible_ssh_private_key_file"
_FORMATS = {
    KeyFormat.OPENSSH: "in OpenSSH's format",
    KeyFormat.RSA: "RSA in PEM format",
    KeyFormat.EC: "elliptic curve in PEM format",
    KeyFormat.PKCS8: "PKCS#8",
    KeyFormat.PKCS8_ENCRYPTED: "PKCS#8",
}


@dataclass(frozen=True)
class OwnKeys:
    """The key files that one hop asks for.

    Attributes:
        usable: Those that ssh would use.
        findings: One for each, or one that there is none.
    """

    usable: tuple[Path, ...]
    findings: tuple[Finding, ...]


def own_keys(host: Host, request: RunRequest) -> OwnKeys:
    """Look at the key files of `host`."""
    value = setting(host, request, _KEY)
    if not value:
        found = Finding(host.base, CHECK, State.OK, "none is named: the keys of the ssh-agent are tried")
        return OwnKeys((), (found,))
    usable, findings = [], []
    for path in _each(value):
        try:
            key = check_private_key(path)
        except InputError as error:  # noqa: PERF203 - each file is judged for itself
            findings.append(Finding(host.base, CHECK, State.PROBLEM, error.diagnostic.summary, error.diagnostic.hint))
        else:
            usable.append(key.path)
            locked = ", with a passphrase" if key.needs_passphrase else ""
            findings.append(Finding(host.base, CHECK, State.OK, f"{path}, {_FORMATS[key.format]}{locked}"))
    return OwnKeys(tuple(usable), tuple(findings))


def lenient_hop(host: Host, inventory: Inventory, request: RunRequest, keys: OwnKeys) -> Hop:
    """The last hop to `host` with the usable keys alone: one that is bad shall not hide the way."""
    hop = route_to(host, inventory, without_keys(request))[-1]
    # Without `new_keys` nobody is asked to trust a host: a look shall change nothing.
    return replace(hop, new_keys=None, key_files=keys.usable, use_agent=not setting(host, request, _KEY))


def lenient_route(host: Host, inventory: Inventory, request: RunRequest) -> Route:
    """The way to `host`, each hop with its usable keys alone; none when it is this machine.

    Raises:
        InputError: The inventory does not say how a hop is reached.
    """
    if connection_of(host, request) == "local":
        return ()
    hops = inventory.route_hosts(host)
    return tuple(lenient_hop(hop, inventory, request, own_keys(hop, request)) for hop in hops)


def without_keys(request: RunRequest) -> RunRequest:
    """The request as if no key file were named, so that none is looked at."""
    return replace(request, extra={**request.extra, _KEY: []})


def _each(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
