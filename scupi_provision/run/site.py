"""Loading a site as a whole: everything that is wrong with it is said at once, before any connection."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from scupi_provision.errors import Diagnostic, InputError
from scupi_provision.host.facts import FACT_NAMES
from scupi_provision.inventory.inventory import Inventory
from scupi_provision.inventory.load import load_inventory
from scupi_provision.inventory.models import Host
from scupi_provision.modules.registry import MODULES
from scupi_provision.playbook.checks import validate_site
from scupi_provision.playbook.load import load_playbook
from scupi_provision.playbook.models import Play, Playbook
from scupi_provision.run.request import RunRequest
from scupi_provision.run.routes import route_to

OWN_NAMES = frozenset({"provision_gpu_probe"})
"""Variables that every play of ours has beside Ansible's."""


@dataclass(frozen=True)
class Site:
    """A playbook and the hosts it is for, found to fit each other."""

    request: RunRequest
    playbook: Playbook
    inventory: Inventory

    @property
    def directory(self) -> Path:
        """Where the playbook's own files are looked up."""
        return self.playbook.path.parent

    def targets(self, play: Play) -> list[Host]:
        """The hosts that `play` changes in this run."""
        return self.inventory.select(play.hosts, self.request.limit)

    def witnesses(self, play: Play, host: Host) -> list[Host]:
        """The hosts on which the checks of `play` run for `host`: those its account has, in the order of `verify:`."""
        found: list[Host] = []
        for pattern in play.verify:
            same_account = [w for w in self.inventory.select(pattern) if w.account == host.account]
            found += [witness for witness in same_account if witness not in found]
        return found


def load_site(request: RunRequest) -> Site:
    """Read everything that `request` names.

    Raises:
        InputError: With every problem found in the playbook, its roles, and the inventory.
    """
    problems: list[Diagnostic] = []
    playbook = inventory = None
    directory = request.playbook.parent
    try:
        playbook = load_playbook(request.playbook, roles_paths=(), registry=MODULES)
    except InputError as error:
        problems += error.diagnostics
    try:
        inventory = load_inventory(request.inventory, directory)
    except InputError as error:
        problems += error.diagnostics
    if playbook is None or inventory is None:
        raise InputError.of(problems)
    site = Site(request, playbook, inventory)
    _validate(site)
    return site


def _validate(site: Site) -> None:
    problems: list[Diagnostic] = []

    def collect(check: Callable[[], object]) -> None:
        try:
            check()
        except InputError as error:
            problems.extend(error.diagnostics)

    names = {f"ansible_{name}" for name in FACT_NAMES} | OWN_NAMES
    collect(
        lambda: validate_site(
            site.playbook,
            inventory_names=site.inventory.variable_names(),
            extra_names=set(site.request.extra),
            fact_names=names,
        )
    )
    collect(site.inventory.require_accounts)
    for play in site.playbook.plays if not problems else ():
        collect(partial(_check_hosts, site, play))
    if problems:
        raise InputError.of(list(dict.fromkeys(problems)))


def _check_hosts(site: Site, play: Play) -> None:
    for host in site.targets(play):
        for wanted in (host, *site.witnesses(play, host)):
            route_to(wanted, site.inventory, site.request)
