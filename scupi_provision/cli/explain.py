"""`provision explain`: where a variable comes from."""

from __future__ import annotations

import json as json_text
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from scupi_provision.cli import completing, options
from scupi_provision.cli.boundary import guarded
from scupi_provision.cli.showing import show_results

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scupi_provision.events import Event
    from scupi_provision.plan.explanation import Explanation


def explain(
    variable: Annotated[str, typer.Argument(help="The variable.")],
    playbook: options.Playbook = "site.yaml",
    inventory: options.Inventory = None,
    extra_vars: options.ExtraVars = [],  # noqa: B006 - typer reads it, nobody changes it
    host: Annotated[
        str | None, typer.Option("--host", "-H", help="Only these hosts (a pattern).", autocompletion=completing.hosts)
    ] = None,
    play: Annotated[int | None, typer.Option("--play", min=1, help="Only the play of this number.")] = None,
    role: Annotated[str | None, typer.Option("--role", help="As tasks of this role see it.")] = None,
    connect: Annotated[bool, typer.Option("--connect", help="Read the hosts' facts, too.")] = False,
    lab: options.UseLab = False,
    json: Annotated[bool, typer.Option("--json", help="Each host and play as one line of JSON.")] = False,
) -> None:
    """Show every definition of a variable with its level and place, which one wins, and what it comes to.

    Nothing is connected to unless --connect is given; secrets are masked. Exits 2 when nothing defines the variable.
    """

    def work() -> int:
        from scupi_provision.run.explain import Question  # noqa: PLC0415 - keeps `--help` fast
        from scupi_provision.run.explain import explain as explained  # noqa: PLC0415

        request = options.make_request(playbook, inventory=inventory, limit=None, lab=lab, extra_vars=extra_vars)
        question = Question(variable, host, play, role, connects=connect)
        return _show(explained(request, question), json=json)

    raise typer.Exit(guarded(work))


def _show(found: Iterator[Event | Explanation], *, json: bool) -> int:
    from scupi_provision.plan.explanation import Explanation  # noqa: PLC0415 - keeps `--help` fast
    from scupi_provision.report.explain import as_data, print_explanation  # noqa: PLC0415 - rich is slow to import
    from scupi_provision.report.style import open_console  # noqa: PLC0415

    console = open_console(sys.stdout)

    def tell(one: Explanation) -> None:
        if json:
            print(json_text.dumps(as_data(one)))
        else:
            print_explanation(one, console)

    return show_results(found, Explanation, tell)
