"""Ansible's facts of the network, from what `system_facts.sh` reads."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

NAMES = frozenset({"all_ipv4_addresses", "all_ipv6_addresses", "default_ipv4", "default_ipv6", "interfaces"})
"""Every fact that `network_facts` may tell, beside one for each interface by its name."""

_TYPES = {"1": "ether", "32": "infiniband", "512": "ppp", "772": "loopback"}
"""ARPHRD_… of Linux (include/uapi/linux/if_arp.h), as Ansible calls them."""


@dataclass(frozen=True)
class _Link:
    """A network interface: its fact, and its addresses by family."""

    fact: dict[str, Any]
    ipv4: list[dict[str, str]] = field(default_factory=list)
    ipv6: list[dict[str, str]] = field(default_factory=list)


def network_facts(raw: Mapping[str, str]) -> dict[str, Any]:
    """Facts by Ansible's names, without the prefix; addresses only where the host has `ip`."""
    links = _links(raw.get("links", ""))
    if not links:
        return {}
    told: dict[str, Any] = {"interfaces": list(links)}
    if "addresses" in raw:
        _read_addresses(raw["addresses"], links)
        told |= _addresses(links)
        told["default_ipv4"] = _default4(raw.get("route4", ""), links)
        told["default_ipv6"] = _default6(raw.get("route6", ""), links)
    return {**told, **{name.replace("-", "_"): _interface(link) for name, link in links.items()}}


def _links(text: str) -> dict[str, _Link]:
    """`eth0,up,1500,1,02:fc:00:00:00:01;lo,…`."""
    found: dict[str, _Link] = {}
    for entry in filter(None, text.split(";")):
        name, state, mtu, kind, mac = (entry.split(",") + [""] * 4)[:5]
        fact: dict[str, Any] = {"device": name, "active": state != "down"}
        if mtu.isdecimal():
            fact["mtu"] = int(mtu)
        if kind in _TYPES:
            fact["type"] = _TYPES[kind]
        if mac and _TYPES.get(kind) != "loopback":
            fact["macaddress"] = mac
        found[name] = _Link(fact)
    return found


def _read_addresses(text: str, links: Mapping[str, _Link]) -> None:
    """`eth0 inet 192.0.2.2/24 brd 192.0.2.255 scope global eth0;…`, as `ip -o addr` says it, without the number."""
    for entry in text.split(";"):
        words = entry.split()
        if len(words) < 3 or words[0] not in links:
            continue
        said = dict(pairwise(words[3:]))
        try:
            address = ipaddress.ip_interface(words[2])
        except ValueError:  # `peer` addresses of tunnels are written in another way
            continue
        if isinstance(address, ipaddress.IPv4Interface):
            links[words[0]].ipv4.append(_fact4(address, said.get("brd", ""), words[-1]))
        else:
            prefix = str(address.network.prefixlen)
            links[words[0]].ipv6.append({"address": str(address.ip), "prefix": prefix, "scope": said.get("scope", "")})


def _fact4(address: ipaddress.IPv4Interface, broadcast: str, label: str) -> dict[str, str]:
    return {
        "address": str(address.ip),
        "broadcast": broadcast,
        "netmask": str(address.netmask),
        "network": str(address.network.network_address),
        "prefix": str(address.network.prefixlen),
        "label": label,
    }


def _addresses(links: Mapping[str, _Link]) -> dict[str, list[str]]:
    """All that are not loopback's own."""
    outward = [link for link in links.values() if link.fact.get("type") != "loopback"]
    return {
        "all_ipv4_addresses": [one["address"] for link in outward for one in link.ipv4],
        "all_ipv6_addresses": [one["address"] for link in outward for one in link.ipv6],
    }


def _interface(link: _Link) -> dict[str, Any]:
    fact = dict(link.fact)
    if link.ipv4:
        first, *more = [{name: value for name, value in one.items() if name != "label"} for one in link.ipv4]
        fact["ipv4"] = first
        if more:
            fact["ipv4_secondaries"] = more
    if link.ipv6:
        fact["ipv6"] = link.ipv6
    return fact


def _default4(route: str, links: Mapping[str, _Link]) -> dict[str, Any]:
    """The first address of the interface by which the rest of the world is reached; {} when it is not."""
    name, _, gateway = route.partition(",")
    link = links.get(name)
    if link is None or not link.ipv4:
        return {}
    first = dict(link.ipv4[0])
    alias = first.pop("label")
    octets = bytes.fromhex(gateway)[::-1]  # the kernel writes the number of a little-endian machine
    return {**first, "alias": alias, "gateway": str(ipaddress.IPv4Address(octets)), **_of_link(link)}


def _default6(route: str, links: Mapping[str, _Link]) -> dict[str, Any]:
    name, _, gateway = route.partition(",")
    link = links.get(name)
    outward = [one for one in link.ipv6 if one["scope"] == "global"] if link else []
    if link is None or not outward:
        return {}
    return {**outward[0], "gateway": str(ipaddress.IPv6Address(bytes.fromhex(gateway))), **_of_link(link)}


def _of_link(link: _Link) -> dict[str, Any]:
    fact = link.fact
    return {"interface": fact["device"], **{name: fact[name] for name in ("macaddress", "mtu", "type") if name in fact}}
