"""The inventory for other programs: as Ansible reads it, with every host crossed with every account."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from scupi_provision.inventory.inventory import Inventory
from scupi_provision.inventory.models import Host
from scupi_provision.run.request import RunRequest
from scupi_provision.run.routes import connection_of, route_to
from scupi_provision.transport.base import Hop, Route
from scupi_provision.transport.route import check_route
from scupi_provision.values import LockedText, Secretive, plain_value

_OURS = frozenset({"via", "host_keys", "ssh_alias_prefix"})
"""Variables that say something to provision alone; so does everything that begins with `provision_`."""
_LOGIN = frozenset({"ansible_host", "ansible_port", "ansible_user", "ansible_ssh_private_key_file"})
_HEADING = "# Written by `provision inventory export`; changes belong into the inventory that it was made from.\n"


def ansible_inventory(inventory: Inventory, request: RunRequest) -> str:
    """An inventory in YAML for Ansible: hosts such as `2021141520001@gpu2`, in groups by node, account and by the file.

    Hosts behind others are reached by a ProxyCommand that names the key of every hop: `ProxyJump` would try the keys
    of ~/.ssh/config on the hosts in between.

    Raises:
        InputError: A host has no login, or a name that ssh could take for an option.
    """
    hosts = {host.name: _variables(host, inventory, request) for host in inventory.select("all", request.limit)}
    children = {group: names for group, names in inventory.children.items() if names}
    crossed = {name: [n for n in names if n in hosts] for name, names in _crossed(inventory).items()}
    top = [name for name in crossed if name not in {below for names in children.values() for below in names}]
    tree = {
        "all": {
            "hosts": hosts,
            "children": {
                name: {
                    **({"children": dict.fromkeys(children[name])} if name in children else {}),
                    "hosts": dict.fromkeys(crossed.get(name, ())),
                }
                for name in dict.fromkeys([*top, *(n for names in children.values() for n in names), *children])
                if name not in {"all", "ungrouped"}
            },
        }
    }
    return _HEADING + _left_out(inventory) + "".join(_lines(tree, 0))


def _left_out(inventory: Inventory) -> str:
    """Which variables are not there, because a file that anybody may be given holds no secrets."""
    names = {name for host in inventory.hosts for name, value in host.variables.merged().items() if _is_secret(value)}
    return f"# Left out, because a vault holds them: {', '.join(sorted(names))}\n" if names else ""


def _is_secret(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_is_secret, value.values()))
    if isinstance(value, list | tuple):
        return any(map(_is_secret, value))
    return isinstance(value, Secretive | LockedText)


def _crossed(inventory: Inventory) -> dict[str, list[str]]:
    """For every group, node and account the names of its hosts; hosts of groups below a group are listed there."""
    members: dict[str, list[str]] = {}
    for host in inventory.hosts:
        direct = [group for group, bases in inventory.direct_hosts.items() if host.base in bases]
        own = [str(group) for one in inventory.accounts if one.id == host.account for group in one.groups]
        nodes = [host.base, host.account] if host.account is not None else []
        for name in dict.fromkeys([*direct, *own, *nodes]):
            members.setdefault(name, []).append(host.name)
    return members


def _variables(host: Host, inventory: Inventory, request: RunRequest) -> dict[str, Any]:
    open_ones = {name: value for name, value in host.variables.merged().items() if not _is_secret(value)}
    merged: dict[str, Any] = plain_value(open_ones)
    told = {
        name: value
        for name, value in merged.items()
        if name not in _OURS and name not in _LOGIN and not name.startswith("provision_")
    }
    if connection_of(host, request) == "local":
        return {**told, "ansible_connection": "local"}
    route = route_to(host, inventory, request)
    check_route(route)
    *before, last = route
    login: dict[str, Any] = {"ansible_host": last.address, "ansible_port": last.port, "ansible_user": last.user}
    if last.key_files:
        login["ansible_ssh_private_key_file"] = str(last.key_files[0])
    options = [*_options(last), *_proxy(tuple(before))]
    return {**login, "ansible_ssh_common_args": shlex.join(options), **told}


def _options(hop: Hop) -> list[str]:
    options = ["-o", "IdentitiesOnly=yes"] if hop.key_files else []
    files = " ".join(f'"{path}"' for path in hop.known_hosts if not path.is_relative_to(Path("/etc/ssh")))
    return [*options, "-o", f"UserKnownHostsFile={files}"] if files else options


def _proxy(before: Route) -> list[str]:
    """What ssh runs to reach the next hop through these. Each level doubles `%`: the one outside reads it too."""
    if not before:
        return []
    *earlier, last = before
    keys = [word for key in last.key_files for word in ("-i", str(key).replace("%", "%%"))]
    options = [option.replace("%", "%%") for option in (*_options(last), *_proxy(tuple(earlier)))]
    target = [f"{last.user}@{last.address}"]
    return ["-o", "ProxyCommand=" + shlex.join(["ssh", "-p", str(last.port), *keys, *options, "-W", "%h:%p", *target])]


def _lines(tree: Mapping[str, Any], depth: int) -> Iterator[str]:
    """Block mappings down to the variables, whose values are JSON: every YAML reads those alike."""
    for key, value in tree.items():
        name = json.dumps(key, ensure_ascii=not key.isprintable())
        head = "  " * depth + name + ":"
        if isinstance(value, Mapping) and value and depth < _DEEPEST:
            yield head + "\n"
            yield from _lines(value, depth + 1)
        elif value is None:
            yield head + "\n"
        else:
            yield f"{head} {json.dumps(value, ensure_ascii=False, default=str)}\n"


_DEEPEST = 4
"""Of `all`, `hosts`, a host and its variables; and of `all`, `children`, a group, `hosts`, a host."""
