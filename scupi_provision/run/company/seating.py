"""Who sits where: the hosts of a batch, each with its seat."""

from __future__ import annotations

from collections.abc import Sequence

from scupi_provision.inventory.models import Host
from scupi_provision.playbook.definitions import defines_unseen, is_told, items_of_play, lasting_names
from scupi_provision.playbook.models import Include, Play, Task
from scupi_provision.run.company.batches import Manner
from scupi_provision.run.company.growth import Growth
from scupi_provision.run.company.meetings import Meetings
from scupi_provision.run.company.seat import Rules, Seat
from scupi_provision.run.site import Site

_GROWING = frozenset({"add_host", "group_by"})
_SETTING = frozenset({"include_vars"})
"""Modules that set variables whose names only a run tells."""


def seats(
    batch: Sequence[Host], growth: Growth, rules: Rules, play_hosts: Sequence[str], gone: frozenset[str]
) -> dict[str, Seat]:
    """The seat of every host of `batch` by its name; `gone` are hosts of the play that have failed."""
    names = tuple(host.name for host in batch)
    outside = frozenset(play_hosts) - {*names, *gone}
    meetings = Meetings(names)
    return {name: Seat(name, meetings, growth, rules, tuple(play_hosts), outside) for name in names}


def alone(site: Site, play: Play, host: Host) -> Seat:
    """The seat of a host that is looked at by itself: the others of the play are there, but nothing comes of them."""
    names = tuple(target.name for target in site.targets(play))
    growth = Growth(site.inventory, site.inventory_with)
    return Seat(host.name, Meetings((host.name,)), growth, play_hosts=names, outside=frozenset(names) - {host.name})


def rules_of(play: Play, manner: Manner) -> Rules:
    """What the tasks of `play` may do that other hosts see."""
    placed = items_of_play(play)
    items = [one.item for one in placed]
    modules = {item.module for item in items if isinstance(item, Task)}
    unseen = any(isinstance(item, Include) and not is_told(item) for item in items)
    gives = any(item.inherited.delegate_facts is not None for item in items)
    told = not (unseen or gives or defines_unseen(play, placed) or modules & _SETTING)
    changing = lasting_names(placed)[0] if told else None
    return Rules(manner.free, manner.most_failed, unseen or bool(modules & _GROWING), unseen or gives, changing)
