"""What the tasks of a play see on one host: inventory, facts, earlier plays, and the other hosts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import resources
from typing import Any

from scupi_provision.inventory.models import Host
from scupi_provision.plan.scope import PlayScope, magic_variables
from scupi_provision.playbook.models import Play
from scupi_provision.run.company.hostvars import HostVariables, known_facts
from scupi_provision.run.company.magic import MagicVariables
from scupi_provision.run.company.seat import Neighbours, Seat
from scupi_provision.run.fleet import Fleet
from scupi_provision.run.site import Site


def scope_of(
    site: Site, fleet: Fleet, play: Play, host: Host, seat: Seat, known: Mapping[str, Any], *, check_mode: bool
) -> PlayScope:
    """A fresh scope for one pass over `play` on `host`."""
    company = Neighbours(seat)
    fixed = magic_variables(host, {}, **_fixed(site, play, seat), ansible_check_mode=check_mode)
    magic = MagicVariables(fixed, _live(fleet, host, seat, company))
    return PlayScope(
        play,
        host,
        _facts(fleet, host),
        magic,
        site.request.extra,
        site.directory,
        inherited_dynamic=known,
        dynamic=company.chronicle,
        company=company,
        answers=site.answers,
        included=company.included,
    )


def _fixed(site: Site, play: Play, seat: Seat) -> dict[str, Any]:
    request = site.request
    return {
        "playbook_dir": str(site.directory),
        "inventory_dir": str(request.inventory.parent),
        "inventory_file": str(request.inventory),
        "ansible_diff_mode": request.diff,
        "ansible_verbosity": request.verbosity,
        "ansible_forks": request.forks,
        "ansible_play_name": play.name,
        "ansible_play_hosts_all": list(seat.play_hosts),
        "ansible_run_tags": sorted(request.tags.only or {"all"}),
        "ansible_skip_tags": sorted(request.tags.skip),
        "provision_gpu_probe": str(resources.files("scupi_provision").joinpath("gpu/probe")),
        **({"ansible_limit": request.limit} if request.limit else {}),
    }


def _live(fleet: Fleet, host: Host, seat: Seat, company: Neighbours) -> dict[str, Callable[[], Any]]:
    def before(other: Host) -> Mapping[str, Any]:
        return known_facts(_facts(fleet, other), fleet.remembered.get(other.name))

    def in_play() -> list[str]:
        present = {*seat.outside, *company.present()}
        return [name for name in seat.play_hosts if name in present]

    return {
        "hostvars": lambda: HostVariables(company.inventory, host, before, company),
        "groups": lambda: company.inventory().groups,
        "group_names": lambda: list(company.own_groups()),
        "ansible_play_hosts": in_play,
        "ansible_play_batch": company.present,
        "play_hosts": company.present,
    }


def _facts(fleet: Fleet, host: Host) -> dict[str, Any]:
    link = fleet.links.get(host.name)
    facts = link.snapshot.facts if link else None
    return facts.variables() if facts else {}
