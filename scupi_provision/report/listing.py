"""What `check --list-hosts`, `--list-tasks` and `--list-tags` print."""

from __future__ import annotations

from collections.abc import Iterator

from scupi_provision.plan.listed import ListedPlay
from scupi_provision.report.visible import visible


def listing_lines(play: ListedPlay, number: int, *, hosts: bool, tasks: bool, tags: bool) -> Iterator[str]:
    """The lines about one play, in the manner of ansible-playbook; `number` counts from 1."""
    yield f"play #{number} ({visible(play.pattern)}): {visible(play.name)}{_tags(play.tags)}"
    if hosts:
        yield f"  hosts ({len(play.hosts)}):"
        yield from (f"    {visible(name)}" for name in play.hosts)
    if tasks:
        yield "  tasks:"
        yield from (f"    {visible(task.name)}{_tags(task.tags)}" for task in play.tasks)
    if tags:
        found = sorted({tag for task in play.tasks for tag in task.tags})
        yield f"  task tags: [{visible(', '.join(found))}]"


def _tags(tags: tuple[str, ...]) -> str:
    return f"  tags: [{visible(', '.join(tags))}]" if tags else ""
