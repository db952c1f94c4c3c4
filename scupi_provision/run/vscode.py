"""`provision vscode`: whether the server of VS Code's Remote-SSH can run on a node, and what to do where it cannot."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path

from scupi_provision.host.finding import Finding, Remedy, State
from scupi_provision.inventory.inventory import Inventory
from scupi_provision.inventory.models import Host
from scupi_provision.run.doctoring import logins
from scupi_provision.run.doctoring.walk import OpenNode, Walk
from scupi_provision.run.request import RunRequest
from scupi_provision.run.routes import setting
from scupi_provision.run.ssh_config import DEFAULT_PREFIX
from scupi_provision.run.vscode_needs import CHECKS, DOWNLOADS, remedies
from scupi_provision.shell import looking
from scupi_provision.transport.examined_hop import ExaminedHop

_SECTION = re.compile(r"\s*host(?:\s*=\s*|\s+)(.*)", re.IGNORECASE)
_WORTH_TELLING = {State.WARNING, State.PROBLEM, State.UNSEEN}


def vscode(
    inventory: Inventory, request: RunRequest, hosts: Sequence[Host], ssh_config: Path | None = None
) -> Iterator[Finding | Remedy]:
    """For each of `hosts` what VS Code's server needs there, and then what to do where it is not so.

    Args:
        inventory: Where the hosts are from.
        request: How to log in.
        hosts: The nodes that are meant, all of one account.
        ssh_config: What VS Code reads; by default ~/.ssh/config.

    Raises:
        InputError: The inventory has no way to a host.
    """
    findings: list[Finding] = []
    for found in _findings(Walk(inventory, request, lambda _: DOWNLOADS), hosts, ssh_config):
        findings.append(found)
        yield found
    yield from remedies(findings)


def _findings(walk: Walk, hosts: Sequence[Host], ssh_config: Path | None) -> Iterator[Finding]:
    try:
        hops = walk.hops(hosts)
        for host in hops:
            opened = yield from _way(walk, host, [other for other in hops if other.via == host.base])
            if opened is not None and host in hosts:
                yield from _needs(walk, host, opened, ssh_config or Path.home() / ".ssh/config")
    finally:
        walk.close()


def _way(walk: Walk, host: Host, behind: Sequence[Host]) -> Generator[Finding, None, OpenNode | None]:
    """As `Walk.visit`, without the findings that all is well."""
    visit = walk.visit(host, behind)
    while True:
        try:
            found = next(visit)
        except StopIteration as ended:
            opened: OpenNode | None = ended.value
            return opened
        if found.state in _WORTH_TELLING:
            yield found


def _needs(walk: Walk, host: Host, opened: OpenNode, ssh_config: Path) -> Iterator[Finding]:
    node = opened.node.knowing(opened.ask(looking.libraries()))
    for check in CHECKS:
        yield check(node)
    yield _forwarding(opened)
    by_ssh = isinstance(opened.transport, ExaminedHop)
    yield from logins.told(node.name, walk.fresh_login(host), host.account or "", by_ssh=by_ssh)
    yield _alias(host, walk.request, ssh_config)


def _forwarding(opened: OpenNode) -> Finding:
    """VS Code talks to its server through a forwarded port of the node's own loopback."""
    name, check = opened.node.name, "forwarding"
    transport = opened.transport
    if not isinstance(transport, ExaminedHop):
        what = f"VS Code comes by a jump alone, and {name} was reached another way ({transport.way})"
        fix = "write to the administrator: please set AllowTcpForwarding yes; until then: provision jupyter"
        if transport.way == "slurm":
            fix = f"have a job there while you work (on the login node: salloc -w {name}), or: provision jupyter"
        return Finding(name, check, State.PROBLEM, what, fix)
    if transport.forwards():
        return Finding(name, check, State.OK, "allowed")
    fix = f"write to the administrator of {name}: please set AllowTcpForwarding yes; until then: provision jupyter"
    return Finding(name, check, State.PROBLEM, "its SSH server forwards nothing, and VS Code needs that", fix)


def _alias(host: Host, request: RunRequest, ssh_config: Path) -> Finding:
    """Whether VS Code finds the node in its list of hosts."""
    alias = f"{setting(host, request, 'ssh_alias_prefix', DEFAULT_PREFIX)}-{host.base}"
    try:
        text = ssh_config.read_text(encoding="utf-8", errors="replace")
    except OSError:
        text = ""
    names = {name for line in text.splitlines() if (found := _SECTION.match(line)) for name in found[1].split()}
    for name in (alias, f"{alias}-{host.account}"):
        if name in names:
            return Finding(host.base, "ssh config", State.OK, f"VS Code lists it as {name}")
    what = f"{ssh_config} has no {alias}, so VS Code does not list it"
    return Finding(host.base, "ssh config", State.WARNING, what, "provision ssh-config --write")
