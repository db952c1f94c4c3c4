"""`provision check --list-hosts`, `--list-tasks`, `--list-tags` and `--syntax-check`: read, print, and ask no host."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from scupi_provision.run.request import RunRequest

_PANEL = "Instead of a check (no host is asked)"


@dataclass(frozen=True)
class Lists:
    """What is to be listed."""

    list_hosts: Annotated[
        bool, typer.Option("--list-hosts", help="List the hosts of each play.", rich_help_panel=_PANEL)
    ] = False
    list_tasks: Annotated[
        bool, typer.Option("--list-tasks", help="List the tasks of each play.", rich_help_panel=_PANEL)
    ] = False
    list_tags: Annotated[
        bool, typer.Option("--list-tags", help="List the tags of each play.", rich_help_panel=_PANEL)
    ] = False
    syntax_check: Annotated[
        bool, typer.Option("--syntax-check", help="Only say whether it would be refused.", rich_help_panel=_PANEL)
    ] = False

    @property
    def asked(self) -> bool:
        """Whether anything is."""
        return self.list_hosts or self.list_tasks or self.list_tags or self.syntax_check


def print_lists(request: RunRequest, lists: Lists) -> int:
    """Print what `lists` asks for; the exit code. Raises InputError when check would refuse the site."""
    from scupi_provision.report.listing import listing_lines  # noqa: PLC0415 - keeps `--help` fast
    from scupi_provision.run.listing import listing  # noqa: PLC0415 - likewise

    plays = list(listing(request))
    print(f"playbook: {request.playbook}")
    if not (lists.list_hosts or lists.list_tasks or lists.list_tags):
        return 0
    for number, play in enumerate(plays, start=1):
        print()
        for line in listing_lines(play, number, hosts=lists.list_hosts, tasks=lists.list_tasks, tags=lists.list_tags):
            print(line)
    return 0
