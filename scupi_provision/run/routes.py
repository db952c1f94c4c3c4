"""From the inventory's variables to the logins on the way to a host."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, cast, get_args

from scupi_provision.access.keys import check_private_key
from scupi_provision.errors import InputError
from scupi_provision.inventory.inventory import Inventory
from scupi_provision.inventory.models import Host
from scupi_provision.playbook.models import Play
from scupi_provision.playbook.templating import Templar
from scupi_provision.run.greeting import PATIENCE_S
from scupi_provision.run.job_wish import job_wish
from scupi_provision.run.request import RunRequest
from scupi_provision.source import diagnostic
from scupi_provision.transport.base import Hop, Reach, Route

_LONGEST_LOGIN_S = 600.0
"""Beyond this, somebody has mistaken the unit."""


def connection_of(host: Host, request: RunRequest) -> Literal["ssh", "local"]:
    """How `host` is reached: `ansible_connection`."""
    kind = str(_templar(host, request).variables.get("ansible_connection", "ssh"))
    if kind in {"ssh", "paramiko", "smart"}:
        return "ssh"
    if kind == "local":
        return "local"
    hint = "ssh (the default) and local are"
    raise InputError.of([diagnostic(f'ansible_connection "{kind}" is not supported', host.where, hint=hint)])


def says_login(host: Host, request: RunRequest) -> bool:
    """Whether it is told without any account how `host` is entered."""
    return connection_of(host, request) == "local" or bool(setting(host, request, "ansible_user"))


def entered(host: Host, play: Play) -> Host:
    """`host` as `play` enters it: what the play says of the connection counts where the inventory says nothing."""
    if not play.login:
        return host
    return replace(host, variables=replace(host.variables, all={**play.login, **host.variables.all}))


def fetch_via(host: Host, play: Play, request: RunRequest) -> str:
    """Who downloads for `host`: `provision_fetch_via`; with a bundle everything comes from the controller."""
    if request.bundle is not None:
        return "controller"
    variables = {**host.variables.merged(), "inventory_hostname": host.name}
    for mapping in (*play.variables, request.extra):
        variables |= mapping
    via = str(Templar(variables).variables.get("provision_fetch_via", "auto"))
    if via in {"host", "controller", "auto"}:
        return via
    hint = "host, controller, or auto: the host, and this computer where the host cannot"
    raise InputError.of([diagnostic(f'provision_fetch_via "{via}" is not known', host.where, hint=hint)])


def route_to(host: Host, inventory: Inventory, request: RunRequest) -> Route:
    """The hops to `host`, in the order in which they are dialled; none when it is this machine."""
    if connection_of(host, request) == "local":
        return ()
    return tuple(_hop(hop, request) for hop in inventory.route_hosts(host))


def setting(host: Host, request: RunRequest, name: str, default: Any = None) -> Any:
    """The variable `name` of `host`, rendered; `default` where nothing sets it."""
    return _templar(host, request).variables.get(name, default)


def _templar(host: Host, request: RunRequest) -> Templar:
    return Templar({**host.variables.merged(), "inventory_hostname": host.name, **request.extra})


def _hop(host: Host, request: RunRequest) -> Hop:
    variables = _templar(host, request).variables
    user = str(variables.get("ansible_user", ""))
    if not user:
        hint = "give the account an `id`, or the host an `ansible_user`"
        raise InputError.of([diagnostic(f"nothing says as whom to log in on {host.base}", host.where, hint=hint)])
    pins = variables.get("host_keys", [])
    known_hosts = _paths(variables.get("provision_known_hosts"))
    return Hop(
        name=host.base,
        address=str(variables.get("ansible_host", host.base)),
        port=int(variables.get("ansible_port", 22)),
        user=user,
        key_files=_keys(variables.get("ansible_ssh_private_key_file")),
        known_hosts=known_hosts or request.known_hosts,
        host_keys=tuple(str(pin) for pin in ([pins] if isinstance(pins, str) else pins)),
        use_agent=not variables.get("ansible_ssh_private_key_file"),
        job=job_wish(variables, host),
        reach=_reach(variables.get("provision_reach", "auto"), host),
        new_keys=request.new_keys and next(iter(known_hosts), request.new_keys),
        login_timeout_s=_seconds(variables.get("provision_login_timeout", PATIENCE_S), host),
    )


def login_timeout_s(host: Host, request: RunRequest) -> float:
    """How long the account's login files may take on `host` itself, however it is reached."""
    return _seconds(_templar(host, request).variables.get("provision_login_timeout", PATIENCE_S), host)


def _seconds(value: Any, host: Host) -> float:
    """`provision_login_timeout`."""
    try:
        seconds = float(value)
    except (TypeError, ValueError):
        seconds = 0.0
    if not 0 < seconds <= _LONGEST_LOGIN_S:
        hint = "a number of seconds, such as 20"
        raise InputError.of([diagnostic(f'provision_login_timeout "{value}" is not a time', host.where, hint=hint)])
    return seconds


def _reach(value: Any, host: Host) -> Reach:
    for known in get_args(Reach):
        if value == known:
            return cast("Reach", known)
    hint = f"one of {', '.join(get_args(Reach))}"
    raise InputError.of([diagnostic(f'provision_reach "{value}" is not known', host.where, hint=hint)])


def _keys(value: Any) -> tuple[Path, ...]:
    return tuple(check_private_key(path).path for path in _paths(value))


def _paths(value: Any) -> tuple[Path, ...]:
    if not value:
        return ()
    return tuple(Path(str(item)).expanduser() for item in (value if isinstance(value, list) else [value]))
