"""What the commands share that look at nodes and show findings: which nodes are meant, and how findings are shown."""

from __future__ import annotations

import json as json_text
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from scupi_provision.host.finding import Finding, Remedy
    from scupi_provision.inventory.inventory import Inventory
    from scupi_provision.inventory.models import Host
    from scupi_provision.report.doctor import FindingsPrinter
    from scupi_provision.run.request import RunRequest

Node = Annotated[str | None, typer.Option("--node", "-n", help="Only this node, and the way to it (default: all).")]
Json = Annotated[bool, typer.Option("--json", help="Each finding as one line of JSON.")]


def nodes_of(request: RunRequest, account: str | None, node: str | None) -> tuple[Inventory, list[Host]]:
    """The inventory, and the hosts that are meant: those of one account, or only one of them.

    Raises:
        InputError: The inventory is not valid, or there is no such account or host.
    """
    from scupi_provision.inventory.load import load_inventory  # noqa: PLC0415 - keeps `--help` fast
    from scupi_provision.run.choosing import choose_account, choose_host  # noqa: PLC0415

    inventory = load_inventory(request.inventory, also=request.more_inventories)
    inventory.require_accounts()
    if node is not None:
        return inventory, [choose_host(inventory, node, account)]
    mine = choose_account(inventory, account)
    return inventory, [host for host in inventory.hosts if host.account == mine]


def show(told: Iterable[Finding | Remedy], *, json: bool) -> list[Finding]:
    """Show each finding and remedy as it comes, and return the findings."""
    from scupi_provision.host.finding import Finding  # noqa: PLC0415 - keeps `--help` fast

    shown = []
    with _printer(json=json) as printer:
        for one in told:
            printer.show(one)
            shown += [one] if isinstance(one, Finding) else []
    return shown


@contextmanager
def _printer(*, json: bool) -> Iterator[_Json | FindingsPrinter]:
    if json:
        yield _Json()
        return
    from scupi_provision.report.doctor import FindingsPrinter  # noqa: PLC0415 - rich is slow to import
    from scupi_provision.report.style import open_console  # noqa: PLC0415

    printer = FindingsPrinter(open_console(sys.stdout))
    yield printer
    printer.end()


class _Json:
    def show(self, told: Finding | Remedy) -> None:
        print(json_text.dumps(told.data), flush=True)
