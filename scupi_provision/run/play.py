"""One play on one host: what every verb needs of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib import resources
from typing import Any

from scupi_provision.host.lock import HostLock
from scupi_provision.inventory.models import Host
from scupi_provision.modules.registry import MODULES
from scupi_provision.plan.planner import Planning
from scupi_provision.plan.scope import PlayScope, fact_variables, magic_variables
from scupi_provision.playbook.models import Item, Play
from scupi_provision.playbook.templating import Templar
from scupi_provision.run.fleet import Fleet
from scupi_provision.run.guard_ways import login_guard
from scupi_provision.run.host_run import HostRun
from scupi_provision.run.routes import fetch_via
from scupi_provision.run.site import Site


@dataclass(frozen=True)
class PlayOnHost:
    """A play of a site on one open host."""

    site: Site
    fleet: Fleet
    play: Play
    host: Host
    check_mode: bool = False
    known: Mapping[str, Any] = field(default_factory=dict)

    def run(self) -> HostRun:
        """Drives the play's own tasks on the host."""
        return self._host_run(verifies=False)

    def verification(self) -> HostRun:
        """Drives the checks of the play's roles, and its `verify_tasks`, on the host."""
        return self._host_run(verifies=True)

    def _host_run(self, *, verifies: bool) -> HostRun:
        link = self.fleet.links[self.host.name]
        planning = self.planning(verifies=verifies)
        stock = self.fleet.stock
        guard = None if verifies else login_guard(self.fleet, self.host, self._witnesses(), self.play)
        return HostRun(
            self.host.label, link.session, planning, link.snapshot, verifies=verifies, stock=stock, guard=guard
        )

    def _witnesses(self) -> list[Host]:
        """The hosts that prove the play, of those that this run has reached."""
        reached = self.fleet.links.keys() - self.fleet.errors.keys()
        return [host for host in self.site.witnesses(self.play, self.host) if host.name in reached]

    def planning(self, *, verifies: bool) -> Planning:
        """What is to be planned on the host: the play's own tasks, or the checks of its roles and `verify_tasks`."""
        return Planning(
            self._checks() if verifies else self.play.tasks,
            self._scope,
            MODULES,
            self.site.request.tags,
            diffs=self.site.request.diff,
            check_mode=self.check_mode,
            verbosity=self.site.request.verbosity,
            switches=not verifies,
            keeps_going=verifies,
            fetch_via=fetch_via(self.host, self.play, self.site.request),
            lock=self._lock(),
        )

    def _checks(self) -> tuple[Item, ...]:
        return (*(item for role in _once(self.play) for item in role.verify), *self.play.verify_tasks)

    def _lock(self) -> HostLock | None:
        lock = self.site.lock
        return lock.hosts.get(self.host.base, HostLock()) if lock else None

    def _scope(self) -> PlayScope:
        request = self.site.request
        snapshot = self.fleet.links[self.host.name].snapshot
        facts = snapshot.facts.variables() if snapshot.facts else {}
        names = [host.name for host in self.site.targets(self.play)]
        magic = magic_variables(
            self.host,
            self.site.inventory.groups,
            hostvars=HostVariables(self.site, self.fleet, self.host),
            playbook_dir=str(self.site.directory),
            inventory_dir=str(request.inventory.parent),
            inventory_file=str(request.inventory),
            ansible_check_mode=self.check_mode,
            ansible_diff_mode=request.diff,
            ansible_verbosity=request.verbosity,
            ansible_play_hosts=names,
            ansible_play_hosts_all=names,
            ansible_play_batch=names,
            play_hosts=names,
            ansible_run_tags=sorted(request.tags.only or {"all"}),
            ansible_skip_tags=sorted(request.tags.skip),
            provision_gpu_probe=str(resources.files("scupi_provision").joinpath("gpu/probe")),
        )
        return PlayScope(
            self.play, self.host, facts, magic, request.extra, self.site.directory, inherited_dynamic=self.known
        )


def _once(play: Play) -> list[Any]:
    """The roles whose checks run: each once, however often the play uses it with the same parameters."""
    found: list[Any] = []
    for role in play.roles:
        if not any(other.directory == role.directory and other.parameters == role.parameters for other in found):
            found.append(role)
    return found


class HostVariables(Mapping[str, Mapping[str, Any]]):
    """`hostvars`: every host's inventory variables and facts, rendered with that host's own variables.

    A host is found by its full name, and by its base name as the account of `seen_from` has it.
    """

    def __init__(self, site: Site, fleet: Fleet, seen_from: Host) -> None:
        self._site = site
        self._fleet = fleet
        self._from = seen_from

    def __getitem__(self, name: str) -> Mapping[str, Any]:
        host = self._find(name)
        if host is None:
            raise KeyError(name)
        link = self._fleet.links.get(host.name)
        facts = link.snapshot.facts if link else None
        variables = {**host.variables.merged(), "inventory_hostname": host.name, "group_names": list(host.groups)}
        if facts is not None:
            variables |= fact_variables(facts.variables())
        return Templar(variables).variables

    def _find(self, name: str) -> Host | None:
        everyone = self._site.inventory.everyone
        if name in everyone:
            return everyone[name]
        return next((h for h in everyone.values() if h.base == name and h.account == self._from.account), None)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self._find(name) is not None

    def __iter__(self) -> Iterator[str]:
        return iter(self._site.inventory.everyone)

    def __len__(self) -> int:
        return len(self._site.inventory.everyone)
