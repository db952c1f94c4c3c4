"""What apply, check and verify are told: which site, which part of it, and how."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from scupi_provision.cli import options
from scupi_provision.errors import InputError

if TYPE_CHECKING:
    from scupi_provision.run.request import RunRequest

_HOW = "How it runs"


@dataclass(frozen=True)
class Part:
    """A site, the hosts and the tasks that are meant, and what is shown of the run."""

    playbook: options.Playbook
    inventory: options.Inventory = None
    extra_vars: options.ExtraVars = field(default_factory=list)
    limit: options.Limit = None
    tags: options.Tags = ""
    skip_tags: options.SkipTags = ""
    lab: options.UseLab = False
    json: options.Json = False
    verbose: options.Verbose = 0


@dataclass(frozen=True)
class Manner:
    """How apply and check go over a site."""

    diff: options.Diff = False
    locked: options.Locked = False
    lock: options.LockFile = None
    bundle: options.BundleFile = None
    start_at_task: Annotated[
        str | None,
        typer.Option(
            "--start-at-task",
            help="Leave out what stands before this task (a name, or a pattern).",
            rich_help_panel=_HOW,
        ),
    ] = None
    force_handlers: Annotated[
        bool,
        typer.Option(
            "--force-handlers", help="Notified handlers run on hosts that have failed, too.", rich_help_panel=_HOW
        ),
    ] = False
    forks: Annotated[
        int | None,
        typer.Option(
            "--forks", "-f", min=1, help="Open so many hosts at the same time (default: 5).", rich_help_panel=_HOW
        ),
    ] = None

    user: Annotated[
        str | None, typer.Option("--user", "-u", help="As whom, where nothing else says it.", rich_help_panel=_HOW)
    ] = None
    private_key: Annotated[
        Path | None,
        typer.Option("--private-key", "--key-file", help="By which key, likewise.", rich_help_panel=_HOW),
    ] = None
    connection: Annotated[
        str | None, typer.Option("--connection", "-c", help="ssh or local, likewise.", rich_help_panel=_HOW)
    ] = None

    @property
    def login(self) -> dict[str, str]:
        """How hosts are entered where neither the inventory nor the play says."""
        said = {
            "ansible_user": self.user,
            "ansible_ssh_private_key_file": str(self.private_key.absolute()) if self.private_key else None,
            "ansible_connection": self.connection,
        }
        return {name: value for name, value in said.items() if value is not None}


def request_of(part: Part, manner: Manner = Manner(), *, verify_again: bool = False) -> RunRequest:
    """Everything on the command line as one value; starts the lab when it is asked for.

    Raises:
        InputError: An option is wrong, or a file is not there.
    """
    request = options.make_request(
        part.playbook,
        inventory=part.inventory,
        extra_vars=part.extra_vars,
        limit=part.limit,
        tags=part.tags,
        skip_tags=part.skip_tags,
        lab=part.lab,
        diff=manner.diff,
        verbosity=part.verbose,
        verify_again=verify_again,
    )
    if manner.forks is not None:
        request = replace(request, forks=manner.forks)
    return replace(
        request,
        lock=options.lock_path(manner.lock, locked=manner.locked),
        bundle=manner.bundle,
        start_at_task=manner.start_at_task,
        force_handlers=manner.force_handlers,
        login=manner.login,
    )


def refuse_beside_plan(part: Part, manner: Manner) -> None:
    """A saved plan is applied as it was made: what would change it is refused.

    Raises:
        InputError: Such an option was given.
    """
    given = [*_given(part, {"playbook", "json", "verbose"}), *_given(manner, {"diff"})]
    if {"--locked", "--lock", "--bundle"}.intersection(given):
        raise InputError("a saved plan has its own lock", hint="give the lock to `provision check --out`")
    if given:
        raise InputError(
            f"a saved plan is applied as it was made, without {', '.join(given)}",
            hint="make another one with `provision check --out`, or apply the playbook",
        )


def _given(group: Part | Manner, harmless: set[str]) -> Iterator[str]:
    """The options of `group` that say something."""
    nothing = Part(group.playbook) if isinstance(group, Part) else Manner()
    for one in fields(group):
        if one.name not in harmless and getattr(group, one.name) != getattr(nothing, one.name):
            yield f"--{one.name.replace('_', '-')}"
