"""What a playbook would be about: its plays, hosts, tasks and tags, as they are written. No host is asked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from scupi_provision.plan.listed import ListedPlay, ListedTask
from scupi_provision.plan.magic import role_name
from scupi_provision.plan.tags import TagSelection
from scupi_provision.playbook.models import Block, Include, Item, Play, Task
from scupi_provision.run.request import RunRequest
from scupi_provision.run.site import Site, read_site


def listing(request: RunRequest) -> Iterator[ListedPlay]:
    """Yield every play of the playbook of `request`.

    What a dynamic include brings is known only when it runs: the include stands for it, as with Ansible.

    Raises:
        InputError: check would refuse the site; with every reason.
    """
    site = read_site(request)
    for play in site.playbook.plays:
        yield _listed(site, play)


def _listed(site: Site, play: Play) -> ListedPlay:
    tasks = tuple(_tasks(play.tasks, site.request.tags))
    hosts = tuple(host.name for host in site.targets(play))
    return ListedPlay(play.name, str(play.hosts), tuple(sorted(set(play.tags))), hosts, tasks)


def _tasks(items: Sequence[Item], selection: TagSelection) -> Iterator[ListedTask]:
    for item in items:
        if isinstance(item, Block):
            yield from _tasks((*item.body, *item.rescue, *item.always), selection)
        elif selection.selects(item.inherited.tags) and not _is_meta(item):
            yield ListedTask(_name(item), tuple(sorted(set(item.inherited.tags))))


def _is_meta(item: Task | Include) -> bool:
    return isinstance(item, Task) and item.module == "meta"


def _name(item: Task | Include) -> str:
    own = str(item.name or (item.module if isinstance(item, Task) else f"include {item.target}"))
    return f"{role_name(item.role)} : {own}" if item.role else own
