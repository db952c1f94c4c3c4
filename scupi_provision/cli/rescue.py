"""`provision rescue`: gets an account back whose start-up files keep everybody out."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from scupi_provision.cli import findings, options
from scupi_provision.cli.boundary import guarded

if TYPE_CHECKING:
    from scupi_provision.inventory.models import Host


def rescue(
    account: Annotated[str | None, typer.Argument(help="Whose (default: the only account there is).")] = None,
    node: Annotated[str | None, typer.Option("--node", "-n", help="The host (default: the login node).")] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Repair without asking.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only look; nothing is changed.")] = False,
    restore: Annotated[bool, typer.Option("--restore", help="Undo: the files as before the last rescue.")] = False,
    inventory: options.Inventory = None,
    lab: options.UseLab = False,
    json: Annotated[bool, typer.Option("--json", help="Each step as one line of JSON.")] = False,
) -> None:
    """Get an account back that nobody can log in to: an `exit`, a loop, an emptied PATH in ~/.bashrc.

    It gets in without the account's start-up files, shows the lines that are wrong, and after asking turns them into
    comments; the files as they were are kept beside them. Exits 0 when a login works, 1 when something is left, 3 when
    no way leads in.
    """

    def work() -> int:
        from scupi_provision.run.rescue import RescueWish  # noqa: PLC0415 - keeps `--help` fast
        from scupi_provision.run.rescue import rescue as run  # noqa: PLC0415

        request = options.inventory_request(inventory, None, lab=lab)
        known, hosts = findings.nodes_of(request, account, node)
        host = _login_node(hosts)
        return _show(run(known, request, host, RescueWish(dry_run, restore), _asking(yes)), json=json)

    raise typer.Exit(guarded(work))


def _login_node(hosts: Sequence[Host]) -> Host:
    """The one that others are reached through."""
    return next((host for host in hosts if host.via is None), hosts[0])


def _asking(yes: bool) -> Callable[[Sequence[Any]], bool]:
    def approve(found: Sequence[Any]) -> bool:
        if yes or not sys.stdin.isatty():
            return yes
        print(f"Repair this ({len(found)} found)? The files are kept as they are now. [y/N] ", end="", file=sys.stderr)
        sys.stderr.flush()
        return sys.stdin.readline().strip().lower() in {"y", "yes"}

    return approve


def _show(steps: Any, *, json: bool) -> int:
    """Show each step as it comes; the exit code."""
    from scupi_provision.host.recovery import LoggedIn, Unrepaired  # noqa: PLC0415 - keeps `--help` fast
    from scupi_provision.report.rescue import print_step, step_line  # noqa: PLC0415 - rich is slow to import
    from scupi_provision.report.style import open_console  # noqa: PLC0415

    console = open_console(sys.stdout)
    code = 0
    for step in steps:
        if json:
            print(step_line(step), flush=True)
        else:
            print_step(step, console)
        if isinstance(step, Unrepaired) or (isinstance(step, LoggedIn) and step.problem):
            code = 1
    return code
