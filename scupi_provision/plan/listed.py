"""A playbook as it is listed: its plays, and the tasks that take part, as they are written."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ListedTask:
    """A task or include that takes part; its name is as written, templates are not rendered."""

    name: str
    tags: tuple[str, ...]


@dataclass(frozen=True)
class ListedPlay:
    """A play with the hosts and tasks that `--limit`, `--tags` and `--skip-tags` leave of it.

    Attributes:
        pattern: Its `hosts:`, as written.
        tags: Those of the play itself.
    """

    name: str
    pattern: str
    tags: tuple[str, ...]
    hosts: tuple[str, ...]
    tasks: tuple[ListedTask, ...]
