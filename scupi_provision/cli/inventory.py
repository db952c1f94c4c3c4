"""`provision inventory`: what the inventory says, for people and other programs; accounts in (`adding`) and out."""

from __future__ import annotations

import sys
from dataclasses import asdict
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from scupi_provision.cli import adding, completing, options
from scupi_provision.cli.boundary import guarded
from scupi_provision.cli.vault_options import opens_vaults
from scupi_provision.errors import InputError

if TYPE_CHECKING:
    from scupi_provision.inventory.inventory import Inventory
    from scupi_provision.run.request import RunRequest

app = typer.Typer(no_args_is_help=True, help="Who logs in and to which machines: add, look, remove, export.")
app.command()(opens_vaults(adding.add))


class ExportFormat(str, Enum):
    """For whom the inventory is written."""

    ANSIBLE = "ansible"
    SSH = "ssh"


@app.command("list")
@opens_vaults
def list_accounts(inventory: options.Inventory = None, limit: options.Limit = None, json: adding.Json = False) -> None:
    """List the accounts, and whether their keys are as they must be. Connects to nobody."""

    def work() -> int:
        from scupi_provision.report.inventory import print_accounts  # noqa: PLC0415 - rich is slow to import
        from scupi_provision.report.style import open_console  # noqa: PLC0415
        from scupi_provision.run.overview import account_rows  # noqa: PLC0415 - keeps `--help` fast

        request = options.inventory_request(inventory, limit, lab=False)
        rows = account_rows(_load(request), request)
        if json:
            adding.print_json([asdict(row) for row in rows])
        else:
            print_accounts(rows, open_console(sys.stdout))
        return 0

    raise typer.Exit(guarded(work))


@app.command()
@opens_vaults
def show(
    name: Annotated[str, typer.Argument(metavar="HOST|ID", help="A host, or an account.")],
    account: options.Account = None,
    inventory: options.Inventory = None,
    json: adding.Json = False,
) -> None:
    """Show a host's variables, layer by layer, and the way to it. Connects to nobody."""

    def work() -> int:
        from scupi_provision.report.inventory import print_host  # noqa: PLC0415 - rich is slow to import
        from scupi_provision.report.style import open_console  # noqa: PLC0415
        from scupi_provision.run.overview import shown  # noqa: PLC0415 - keeps `--help` fast

        request = options.inventory_request(inventory, None, lab=False)
        hosts = shown(_load(request), request, name, account)
        if json:
            adding.print_json([asdict(host) for host in hosts])
        else:
            console = open_console(sys.stdout)
            for host in hosts:
                print_host(host, console)
        return 0

    raise typer.Exit(guarded(work))


@app.command()
@opens_vaults
def remove(
    identifier: Annotated[str, typer.Argument(metavar="ID", help="The account.", autocompletion=completing.accounts)],
    delete_key: Annotated[bool, typer.Option("--delete-key", help="Delete its key files on this computer.")] = False,
    inventory: options.Inventory = None,
) -> None:
    """Take an account out of the inventory. Nothing is done on any host."""

    def work() -> int:
        from scupi_provision.report.inventory import print_removed  # noqa: PLC0415 - rich is slow to import
        from scupi_provision.report.style import open_console  # noqa: PLC0415
        from scupi_provision.run.accounts import remove_account  # noqa: PLC0415 - keeps `--help` fast

        request = options.inventory_request(inventory, None, lab=False)
        print_removed(remove_account(request, identifier, delete_key=delete_key), open_console(sys.stdout))
        return 0

    raise typer.Exit(guarded(work))


@app.command()
@opens_vaults
def graph(inventory: options.Inventory = None, json: adding.Json = False) -> None:
    """Draw the groups with their hosts and accounts. Connects to nobody."""

    def work() -> int:
        from scupi_provision.report.inventory import print_graph  # noqa: PLC0415 - rich is slow to import
        from scupi_provision.report.style import open_console  # noqa: PLC0415
        from scupi_provision.run.overview import graph as tree  # noqa: PLC0415 - keeps `--help` fast

        top = tree(_load(options.inventory_request(inventory, None, lab=False)))
        if json:
            adding.print_json(asdict(top))
        else:
            print_graph(top, open_console(sys.stdout))
        return 0

    raise typer.Exit(guarded(work))


@app.command()
@opens_vaults
def export(
    form: Annotated[ExportFormat, typer.Option("--format", "-f", help="For Ansible, or lines for ssh_config.")],
    out: Annotated[Path | None, typer.Option("--out", "-o", help="A file (default: stdout).")] = None,
    account: options.Account = None,
    inventory: options.Inventory = None,
    limit: options.Limit = None,
) -> None:
    """Write the inventory for another program. Connects to nobody."""

    def work() -> int:
        from scupi_provision.run.export import ansible_inventory  # noqa: PLC0415 - keeps `--help` fast
        from scupi_provision.run.ssh_config import ssh_config_text  # noqa: PLC0415

        request = options.inventory_request(inventory, account or limit, lab=False)
        loaded = _load(request)
        if form is ExportFormat.SSH:
            text = ssh_config_text(loaded, request, account)
        else:
            text = ansible_inventory(loaded, request)
        _write(text, out)
        return 0

    raise typer.Exit(guarded(work))


def _load(request: RunRequest) -> Inventory:
    from scupi_provision.inventory.load import load_inventory  # noqa: PLC0415 - keeps `--help` fast

    return load_inventory(request.inventory, also=request.more_inventories)


def _write(text: str, out: Path | None) -> None:
    if out is None:
        print(text, end="")
        return
    try:
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(f"{out} cannot be written", detail=str(error.strerror)) from error
    print(f"wrote {out}")
