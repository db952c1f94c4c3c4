"""Loading a site as a whole: everything that is wrong with it is said at once, before any connection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from scupi_provision.errors import Diagnostic, InputError
from scupi_provision.host.facts import FACT_NAMES
from scupi_provision.inventory.inventory import Inventory, Selection
from scupi_provision.inventory.load import load_inventory
from scupi_provision.inventory.models import Host
from scupi_provision.modules.contract import Membership
from scupi_provision.modules.registry import MODULES
from scupi_provision.playbook.checks import site_problems
from scupi_provision.playbook.load import read_playbook
from scupi_provision.playbook.models import Play, Playbook
from scupi_provision.playbook.starting import begun_at, with_forced_handlers, with_login
from scupi_provision.run.addressed import addressed
from scupi_provision.run.bundle import Bundle, open_bundle
from scupi_provision.run.guard_ways import guard_seconds
from scupi_provision.run.lock_file import SiteLock, read_lock
from scupi_provision.run.request import RunRequest
from scupi_provision.run.routes import entered, fetch_via, route_to, says_login

OWN_NAMES = frozenset({"provision_gpu_probe"})
"""Variables that every play of ours has beside Ansible's."""


@dataclass(frozen=True)
class Site:
    """A playbook and the hosts it is for, found to fit each other.

    Attributes:
        lock: What shall be installed, exactly; None when tasks choose for themselves.
        bundle: What everything comes from, or None.
        answers: What a person has said to `vars_prompt` of the play under way.
    """

    request: RunRequest
    playbook: Playbook
    inventory: Inventory
    lock: SiteLock | None = None
    bundle: Bundle | None = None
    answers: Mapping[str, Any] = field(default_factory=dict)

    @property
    def directory(self) -> Path:
        """Where the playbook's own files are looked up."""
        return self.playbook.path.parent

    def targets(self, play: Play) -> list[Host]:
        """The hosts that `play` changes in this run."""
        return [entered(host, play) for host in self.addressed(play).hosts]

    def addressed(self, play: Play) -> Selection:
        """What `hosts:` of `play` means in this run, and which of its names mean nothing."""
        return addressed(play, self.inventory, self.request.extra, self.request.limit)

    def inventory_with(self, joining: Sequence[Membership]) -> Inventory:
        """The inventory with what tasks have added to it, read anew."""
        request = self.request
        beside = request.playbook.parent
        return load_inventory(request.inventory, beside, also=request.more_inventories, joining=joining)

    def witnesses(self, play: Play, host: Host) -> list[Host]:
        """The hosts on which the checks of `play` run for `host`: those its account has, in the order of `verify:`."""
        found: list[Host] = []
        for pattern in play.verify:
            same_account = [w for w in self.inventory.select(pattern) if w.account == host.account]
            found += [witness for witness in same_account if witness not in found]
        return found

    def taking_part(self, play: Play) -> list[Host]:
        """The hosts that `play` changes and those that prove it, each once."""
        targets = self.targets(play)
        witnesses = [witness for host in targets for witness in self.witnesses(play, host)]
        return list({host.name: host for host in (*targets, *witnesses)}.values())


def load_site(request: RunRequest, *, dials: bool = True) -> Site:
    """Read everything that `request` names, and see that its hosts are there.

    Args:
        request: The run.
        dials: Whether hosts will be connected to, for which keys have to be at hand.

    Raises:
        InputError: With every problem found in the playbook, its roles, and the inventory.
    """
    site = read_site(request)
    _check_hosts(site, dials=dials)
    return site


def read_site(request: RunRequest) -> Site:
    """As `load_site`, whether or not anybody could log in to the hosts."""
    reading = read_playbook(request.playbook, roles_paths=(), registry=MODULES)
    problems = list(reading.problems)
    try:
        inventory = load_inventory(request.inventory, request.playbook.parent, also=request.more_inventories)
    except InputError as error:
        raise InputError.of([*problems, *error.diagnostics]) from error
    if reading.complete:
        known = {*inventory.variable_names(), *request.extra, *OWN_NAMES, *(f"ansible_{name}" for name in FACT_NAMES)}
        problems += [found for found in site_problems(reading.playbook, known) if found not in problems]
    if problems:
        raise InputError.of(problems)
    bundle = open_bundle(request.bundle) if request.bundle else None
    lock = bundle.lock if bundle else read_lock(request.lock) if request.lock else None
    return Site(request, _as_asked(reading.playbook, request), inventory, lock, bundle)


def _as_asked(playbook: Playbook, request: RunRequest) -> Playbook:
    if request.start_at_task is not None:
        playbook = begun_at(playbook, request.start_at_task, request.tags.selects)
    if request.force_handlers:
        playbook = with_forced_handlers(playbook)
    return with_login(playbook, request.login)


def _check_hosts(site: Site, *, dials: bool) -> None:
    """Every host that takes part exists, and its route can be told, before any is dialled."""
    problems: list[Diagnostic] = []
    unknown: list[Diagnostic] = []
    anybody = False
    for play in site.playbook.plays:
        try:
            unknown += site.addressed(play).unknown
            for host in site.targets(play):
                anybody = True
                if not host.implicit and not says_login(host, site.request):
                    site.inventory.require_accounts()
                fetch_via(host, play, site.request)
                guard_seconds(host, site.request, play)
                for wanted in (host, *site.witnesses(play, host)) if dials else ():
                    route_to(wanted, site.inventory, site.request)
        except InputError as error:  # noqa: PERF203 - every play's problems are collected
            problems += error.diagnostics
    if problems or (unknown and not anybody):  # one name that nothing has is Ansible's warning, only such is a mistake
        raise InputError.of(list(dict.fromkeys(problems or unknown)))
