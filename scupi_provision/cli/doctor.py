"""`provision doctor`: what is wrong between here and the GPU, hop by hop, and what to do about it."""

from __future__ import annotations

import typer

from scupi_provision.cli import findings, options
from scupi_provision.cli.boundary import guarded


def doctor(
    account: options.Account = None,
    node: findings.Node = None,
    inventory: options.Inventory = None,
    lab: options.UseLab = False,
    json: findings.Json = False,
) -> None:
    """Look at the way to every node and at the nodes, say what is wrong and how it is put right. Changes nothing.

    Exits 0 when there are at most warnings, 1 when there is a problem, 3 when a node cannot be reached.
    """

    def work() -> int:
        from scupi_provision.run.doctor import doctor as look  # noqa: PLC0415 - keeps `--help` fast
        from scupi_provision.run.doctor import exit_code  # noqa: PLC0415

        request = options.inventory_request(inventory, None, lab=lab)
        known, hosts = findings.nodes_of(request, account, node)
        return exit_code(findings.show(look(known, request, hosts), json=json))

    raise typer.Exit(guarded(work))
