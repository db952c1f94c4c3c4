"""`provision vscode`: can VS Code's Remote-SSH work there?"""

from __future__ import annotations

import typer

from scupi_provision.cli import findings, options
from scupi_provision.cli.boundary import guarded


def vscode(
    account: options.Account = None,
    node: findings.Node = None,
    inventory: options.Inventory = None,
    lab: options.UseLab = False,
    json: findings.Json = False,
) -> None:
    """Say for each node whether VS Code's Remote-SSH can work there, and what to do if not. Changes nothing.

    Exits 0 when it can on all of them, 1 when it cannot, 3 when a node cannot be reached.
    """

    def work() -> int:
        from scupi_provision.run.doctor import exit_code  # noqa: PLC0415 - keeps `--help` fast
        from scupi_provision.run.vscode import vscode as look  # noqa: PLC0415

        request = options.inventory_request(inventory, None, lab=lab)
        known, hosts = findings.nodes_of(request, account, node)
        return exit_code(findings.show(look(known, request, hosts), json=json))

    raise typer.Exit(guarded(work))
