"""`provision`: the command line. It wires the rooms together and knows the exit codes; the work is done below."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

import scupi_provision
from scupi_provision.cli import attach as attach_command
from scupi_provision.cli import compile as compile_commands
from scupi_provision.cli import doc as doc_command
from scupi_provision.cli import doctor as doctor_command
from scupi_provision.cli import explain as explain_command
from scupi_provision.cli import facts as facts_command
from scupi_provision.cli import gpu as gpu_command
from scupi_provision.cli import inventory as inventory_commands
from scupi_provision.cli import jupyter as jupyter_command
from scupi_provision.cli import lab as lab_commands
from scupi_provision.cli import lint as lint_command
from scupi_provision.cli import listing, options
from scupi_provision.cli import lock as lock_commands
from scupi_provision.cli import rescue as rescue_command
from scupi_provision.cli import schema as schema_command
from scupi_provision.cli import ssh as ssh_commands
from scupi_provision.cli import torch as torch_commands
from scupi_provision.cli import vault as vault_commands
from scupi_provision.cli import vscode as vscode_command
from scupi_provision.cli.boundary import guarded
from scupi_provision.cli.foreign_options import Foreign, refuse_foreign
from scupi_provision.cli.option_groups import grouped
from scupi_provision.cli.showing import show
from scupi_provision.cli.site_options import Manner, Part, refuse_beside_plan, request_of
from scupi_provision.cli.vault_options import opens_vaults

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Make a user-space environment so on a cluster, from a playbook, over SSH; and prove it where it runs.",
    epilog="Exit codes: 0 as described, 1 a task failed, 2 bad input (nothing touched), 3 unreachable or locked, "
    "4 verification failed, 5 check --exit-code found drift, 70 a bug, 130 interrupted.",
)
_SITE, _WAY, _NODE = "A site", "Who, and the way there", "A node"
"""How `--help` puts the commands together."""


def _version(wanted: bool) -> None:
    if wanted:
        print(f"provision {scupi_provision.__version__}")
        raise typer.Exit


@app.callback()
def root(
    _version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say which one.")
    ] = False,
) -> None:
    """Declarative provisioning without root."""


@app.command(rich_help_panel=_SITE)
@opens_vaults
@grouped
def apply(
    part: Part,
    manner: Manner,
    foreign: Foreign,
    verify: Annotated[bool, typer.Option("--verify", help="Run all checks, also when their proof stands.")] = False,
) -> None:
    """Make it so on the play's hosts, then prove it on the hosts of `verify:`. Takes a playbook or a saved plan."""

    def work() -> int:
        from scupi_provision.run.apply import apply as run  # noqa: PLC0415 - keeps `--help` fast
        from scupi_provision.run.locked import require_fitting_lock  # noqa: PLC0415
        from scupi_provision.run.saved_plan import apply_saved, is_saved_plan  # noqa: PLC0415
        from scupi_provision.run.site import load_site  # noqa: PLC0415

        refuse_foreign(foreign, in_check=False)
        plan = Path(part.playbook)
        if is_saved_plan(plan):
            refuse_beside_plan(part, manner)
            events = apply_saved(plan, verify_again=verify)
        else:
            site = load_site(request_of(part, manner, verify_again=verify))
            require_fitting_lock(site)
            events = run(site)
        return show(events, diff=manner.diff, json=part.json, verbose=part.verbose)

    raise typer.Exit(guarded(work))


@app.command(rich_help_panel=_SITE)
@opens_vaults
@grouped
def check(
    part: Part,
    manner: Manner,
    lists: listing.Lists,
    foreign: Foreign,
    out: Annotated[Path | None, typer.Option("--out", help="Save the plan, for `provision apply FILE`.")] = None,
    exit_code: Annotated[bool, typer.Option("--exit-code", help="Exit 5 when something would change.")] = False,
) -> None:
    """Say exactly what apply would change. Nothing is written, here or there."""

    def work() -> int:
        refuse_foreign(foreign, in_check=True)
        if lists.asked:
            return listing.print_lists(request_of(part, manner), lists)
        from scupi_provision.run.check import Plans  # noqa: PLC0415 - keeps `--help` fast
        from scupi_provision.run.check import check as run  # noqa: PLC0415
        from scupi_provision.run.locked import require_fitting_lock  # noqa: PLC0415
        from scupi_provision.run.outcome import EXIT_DRIFT, Tally  # noqa: PLC0415
        from scupi_provision.run.saved_plan import save_plan  # noqa: PLC0415
        from scupi_provision.run.site import load_site  # noqa: PLC0415

        site = load_site(request_of(part, manner))
        require_fitting_lock(site)
        plans: Plans = {}
        tally = Tally()
        code = show(tally.watch(run(site, plans)), diff=manner.diff, json=part.json, verbose=part.verbose)
        if out is not None and code == 0:
            save_plan(out, site, plans)
        return EXIT_DRIFT if exit_code and tally.drift and code == 0 else code

    raise typer.Exit(guarded(work))


@app.command(rich_help_panel=_SITE)
@opens_vaults
@grouped
def verify(part: Part) -> None:
    """Run every check again on the hosts of `verify:`, and change nothing."""

    def work() -> int:
        from scupi_provision.run.site import load_site  # noqa: PLC0415 - keeps `--help` fast
        from scupi_provision.run.verify import verify as run  # noqa: PLC0415

        site = load_site(request_of(part, verify_again=True))
        return show(run(site), diff=False, json=part.json, verbose=part.verbose)

    raise typer.Exit(guarded(work))


@app.command(rich_help_panel=_SITE)
@opens_vaults
def rollback(
    to: Annotated[int | None, typer.Option("--to", help="This generation (default: the one before).")] = None,
    inventory: options.Inventory = None,
    limit: options.Limit = None,
    lab: options.UseLab = False,
    json: options.Json = False,
) -> None:
    """Make an earlier generation current again: one rename, for every account of the inventory."""

    def work() -> int:
        from scupi_provision.run.rollback import rollback as run  # noqa: PLC0415 - keeps `--help` fast

        request = options.inventory_request(inventory, limit, lab=lab)
        return show(run(request, to), diff=False, json=json, verbose=1)

    raise typer.Exit(guarded(work))


@app.command(rich_help_panel=_SITE)
def init(directory: Annotated[Path, typer.Argument(help="Where; it is made when needed.")]) -> None:
    """Copy a site to begin with: inventory, playbooks, roles."""

    def work() -> int:
        from scupi_provision.run.init import init as run  # noqa: PLC0415 - keeps `--help` fast

        for path in run(directory):
            print(f"made {path}")
        print(f"now, in {directory}: provision inventory add ID --key FILE; then: provision check site.yaml")
        return 0

    raise typer.Exit(guarded(work))


app.command("compile", rich_help_panel=_SITE)(opens_vaults(compile_commands.compile_command))
app.command("lock", rich_help_panel=_SITE)(opens_vaults(lock_commands.lock))
app.command("bundle", rich_help_panel=_SITE)(lock_commands.bundle)
app.command("explain", rich_help_panel=_SITE)(opens_vaults(explain_command.explain))
app.command("lint", rich_help_panel=_SITE)(opens_vaults(lint_command.lint))
app.command("doc", rich_help_panel=_SITE)(doc_command.doc)
app.command("schema", rich_help_panel=_SITE)(schema_command.schema)
app.add_typer(vault_commands.app, name="vault", rich_help_panel=_SITE)
app.add_typer(inventory_commands.app, name="inventory", rich_help_panel=_WAY)
app.command("trust", rich_help_panel=_WAY)(opens_vaults(ssh_commands.trust))
app.command("ssh", rich_help_panel=_WAY)(opens_vaults(ssh_commands.ssh))
app.command("ssh-config", rich_help_panel=_WAY)(opens_vaults(ssh_commands.ssh_config))
app.command("attach", rich_help_panel=_WAY)(opens_vaults(attach_command.attach))
app.command("jupyter", rich_help_panel=_WAY)(opens_vaults(jupyter_command.jupyter))
app.command("vscode", rich_help_panel=_WAY)(opens_vaults(vscode_command.vscode))
app.command("doctor", rich_help_panel=_WAY)(opens_vaults(doctor_command.doctor))
app.command("rescue", rich_help_panel=_WAY)(opens_vaults(rescue_command.rescue))
app.command("facts", rich_help_panel=_NODE)(opens_vaults(facts_command.facts))
app.command("gpu", rich_help_panel=_NODE)(opens_vaults(gpu_command.gpu))
app.add_typer(torch_commands.app, name="torch", rich_help_panel=_NODE)
app.add_typer(lab_commands.app, name="lab", rich_help_panel=_NODE)


def main(argv: list[str] | None = None) -> None:
    """The entry point of the `provision` script."""
    run: Callable[..., object] = app
    run(args=argv, prog_name="provision")


if __name__ == "__main__":
    main()
