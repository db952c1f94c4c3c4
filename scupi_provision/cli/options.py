"""Options that several commands share, and what they become."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from scupi_provision.cli import completing
from scupi_provision.cli.person import terminal_person
from scupi_provision.errors import InputError

if TYPE_CHECKING:
    from scupi_provision.run.request import RunRequest

Playbook = Annotated[
    str,
    typer.Argument(
        help="The playbook; `site.yaml` is also found as `playbooks/site.yaml`.", autocompletion=completing.playbooks
    ),
]
Inventory = Annotated[
    list[Path] | None,
    typer.Option(
        "--inventory", "-i", help="A file, a folder, or `host1,host2,`; may be repeated (default: inventory.yaml)."
    ),
]
ExtraVars = Annotated[list[str], typer.Option("--extra-vars", "-e", help='name=value, {"json": …} or @file.yml.')]
Limit = Annotated[
    str | None,
    typer.Option(
        "--limit", "-l", help="Narrow every play to these hosts (a pattern).", autocompletion=completing.hosts
    ),
]
Tags = Annotated[str, typer.Option("--tags", "-t", help="Only tasks with these tags (commas between them).")]
SkipTags = Annotated[str, typer.Option("--skip-tags", help="No tasks with these tags.")]
UseLab = Annotated[bool, typer.Option("--lab", help="Use the embedded two-node lab instead of the inventory's hosts.")]
Diff = Annotated[bool, typer.Option("--diff", "-D", help="Show what changes in files.")]
Json = Annotated[bool, typer.Option("--json", help="Every event as one line of JSON on stdout.")]
Verbose = Annotated[int, typer.Option("--verbose", "-v", count=True, help="Also show tasks that are ok or skipped.")]
Locked = Annotated[bool, typer.Option("--locked", help="Install exactly what provision.lock says, or refuse.")]
LockFile = Annotated[Path | None, typer.Option("--lock", help="As --locked, with the lock in another file.")]
BundleFile = Annotated[Path | None, typer.Option("--bundle", help="Install from this bundle alone, by its lock.")]

Account = Annotated[
    str | None,
    typer.Option(
        "--account", "-a", help="Whose (default: the only account there is).", autocompletion=completing.accounts
    ),
]

KNOWN_HOSTS_PROVISION = "known_hosts_provision"
"""In ~/.ssh: the host keys that were trusted by a command of ours. The user's own known_hosts is only read."""


def lock_path(given: Path | None, *, locked: bool) -> Path | None:
    """The file of the lock that is asked for, or None."""
    return given or (Path("provision.lock") if locked else None)


def make_request(
    playbook: str,
    *,
    inventory: Sequence[Path] | None,
    limit: str | None,
    lab: bool,
    extra_vars: Sequence[str] = (),
    tags: str = "",
    skip_tags: str = "",
    diff: bool = False,
    verbosity: int = 0,
    verify_again: bool = False,
) -> RunRequest:
    """Everything on the command line as one value; starts the lab when it is asked for.

    Raises:
        InputError: An option is wrong, or a file is not there.
    """
    from scupi_provision.plan.secrecy import learn_named  # noqa: PLC0415
    from scupi_provision.plan.tags import TagSelection  # noqa: PLC0415
    from scupi_provision.playbook.extra_variables import parse_extra_vars  # noqa: PLC0415
    from scupi_provision.playbook.site import find_site  # noqa: PLC0415 - keeps `--help` fast
    from scupi_provision.run.request import RunRequest  # noqa: PLC0415

    if lab and inventory:
        raise InputError("--lab and --inventory exclude each other", hint="the lab brings an inventory of its own")
    path = find_site(playbook, Path.cwd())
    extra = parse_extra_vars(extra_vars)
    learn_named(extra)
    selection = TagSelection(_names(tags), _names(skip_tags))
    (hosts, *more), stand_ins = _lab_inventory(path) if lab else (_inventories(inventory), ())
    return RunRequest(
        path,
        hosts,
        extra,
        limit,
        selection,
        diff=diff,
        verbosity=verbosity,
        verify_again=verify_again,
        stand_ins=stand_ins,
        known_hosts=_known_hosts(),
        person=terminal_person(),
        more_inventories=tuple(more),
    )


def inventory_request(inventory: Sequence[Path] | None, limit: str | None, *, lab: bool) -> RunRequest:
    """A request that is about accounts and hosts, not about a playbook."""
    from scupi_provision.cli.lab import start_lab  # noqa: PLC0415 - keeps `--help` fast
    from scupi_provision.run.request import RunRequest  # noqa: PLC0415

    path, *more = (start_lab().inventory,) if lab else _inventories(inventory)
    return RunRequest(
        path.parent,
        path,
        limit=limit,
        known_hosts=_known_hosts(),
        person=terminal_person(),
        more_inventories=tuple(more),
    )


def _known_hosts() -> tuple[Path, ...]:
    ours = Path.home() / ".ssh"
    return (ours / "known_hosts", ours / KNOWN_HOSTS_PROVISION, Path("/etc/ssh/ssh_known_hosts"))


def _names(text: str) -> frozenset[str]:
    return frozenset(name.strip() for name in text.split(",") if name.strip())


def _inventories(given: Sequence[Path] | None) -> tuple[Path, ...]:
    if given:
        return tuple(given)
    path = Path("inventory.yaml")
    if not path.exists():
        raise InputError(
            "there is no inventory.yaml here",
            hint="name one with --inventory, make a site with `provision init DIR`, or try the embedded lab with --lab",
        )
    return (path,)


def _lab_inventory(playbook: Path) -> tuple[tuple[Path, ...], tuple[str, ...]]:
    """Start the lab, but only for a site that is well: bad input must not cost the download of torch first."""
    from scupi_provision.cli.lab import start_lab  # noqa: PLC0415
    from scupi_provision.modules.registry import MODULES  # noqa: PLC0415
    from scupi_provision.playbook.load import load_playbook  # noqa: PLC0415

    load_playbook(playbook, roles_paths=(), registry=MODULES)
    lab = start_lab()
    return (lab.inventory,), lab.stand_ins
