"""`provision facts`: what is known of hosts."""

from __future__ import annotations

import json as json_text
import sys
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Annotated

import typer

from scupi_provision.cli import completing, options
from scupi_provision.cli.boundary import guarded
from scupi_provision.cli.showing import show_results
from scupi_provision.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scupi_provision.events import Event
    from scupi_provision.run.facts import HostFacts


def facts(
    hosts: Annotated[str, typer.Argument(help="Which hosts (a pattern).", autocompletion=completing.hosts)] = "all",
    inventory: options.Inventory = None,
    limit: options.Limit = None,
    lab: options.UseLab = False,
    wanted: Annotated[str, typer.Option("--filter", help="Only facts with such names, as in 'gpu*'.")] = "*",
    json: Annotated[bool, typer.Option("--json", help="Each host as one line of JSON.")] = False,
) -> None:
    """Show what playbooks know of a host as `ansible_facts`: system, compiler, C library, driver, GPUs, programs.

    Exits 3 when a host cannot be reached.
    """

    def work() -> int:
        from scupi_provision.host.facts import FACT_NAMES  # noqa: PLC0415 - keeps `--help` fast
        from scupi_provision.run.facts import facts as read  # noqa: PLC0415
        from scupi_provision.source import suggestion  # noqa: PLC0415

        pattern = wanted.removeprefix("ansible_")
        names = [name for name in FACT_NAMES if fnmatchcase(name, pattern)]
        if not names:
            hint = suggestion(pattern, FACT_NAMES) or f"facts: {', '.join(sorted(FACT_NAMES))}"
            raise InputError(f'there is no fact "{wanted}"', hint=hint)
        return _show(read(options.inventory_request(inventory, limit, lab=lab), hosts), names, json=json)

    raise typer.Exit(guarded(work))


def _show(found: Iterator[Event | HostFacts], names: list[str], *, json: bool) -> int:
    """Show each host as it comes; the exit code."""
    from scupi_provision.report.facts import print_facts  # noqa: PLC0415 - rich is slow to import
    from scupi_provision.report.style import open_console  # noqa: PLC0415
    from scupi_provision.run.facts import HostFacts  # noqa: PLC0415 - keeps `--help` fast

    console = open_console(sys.stdout)

    def tell(one: HostFacts) -> None:
        told = {name: value for name, value in one.facts.items() if name in names}
        if json:
            print(json_text.dumps({"host": one.host, "ansible_facts": told}))
        else:
            print_facts(one.host, told, console)

    return show_results(found, HostFacts, tell)
