"""`provision inventory`: accounts in and out, and what the inventory says."""

from __future__ import annotations

import json as json_text
import sys
from dataclasses import asdict, replace
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from scupi_provision.cli import completing, options
from scupi_provision.cli.boundary import guarded
from scupi_provision.errors import InputError

if TYPE_CHECKING:
    from rich.console import Console

    from scupi_provision.inventory.enrolment import Enrolment, EnrolWish
    from scupi_provision.inventory.inventory import Inventory
    from scupi_provision.run.request import RunRequest

app = typer.Typer(no_args_is_help=True, help="Who logs in and to which machines: add, look, remove, export.")

_FAILED = 3
_OwnJson = Annotated[bool, typer.Option("--json", help="As JSON on stdout.")]


class ExportFormat(str, Enum):
    """For whom the inventory is written."""

    ANSIBLE = "ansible"
    SSH = "ssh"


@app.command()
def add(
    identifier: Annotated[str | None, typer.Argument(metavar="ID", help="The login name on the cluster.")] = None,
    key: Annotated[
        str | None, typer.Option("--key", "-k", help="The private key's file; with --from, {id} is the id.")
    ] = None,
    group: Annotated[list[str], typer.Option("--group", "-g", help="An extra group; may be repeated.")] = [],  # noqa: B006 - typer copies it
    name: Annotated[str, typer.Option("--name", help="Whose it is, for people.")] = "",
    roster: Annotated[
        Path | None, typer.Option("--from", help="Many at once: a CSV file with columns id, key, name, groups.")
    ] = None,
    connect: Annotated[bool, typer.Option("--connect/--no-connect", help="Try a login over every hop first.")] = True,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Trust host keys that are not known yet.")] = False,
    fingerprint: Annotated[
        list[str], typer.Option("--fingerprint", help="HOST=SHA256:…, which the host's key must have; may be repeated.")
    ] = [],  # noqa: B006 - typer copies it
    own_key: Annotated[bool, typer.Option("--own-key", help="Make a key of the account's own, and use it.")] = False,
    replace_key: Annotated[bool, typer.Option("--replace", help="Take this key instead of the one there.")] = False,
    inventory: options.Inventory = None,
    limit: options.Limit = None,
    json: _OwnJson = False,
) -> None:
    """Add an account: its key is checked and copied to ~/.ssh, a login is tried, and the entry is written.

    Exits 2 when the key or the inventory is not as it must be, 3 when the login fails; nothing is written then.
    """

    def work() -> int:
        from scupi_provision.inventory.enrolment import EnrolWish  # noqa: PLC0415 - keeps `--help` fast

        wish = EnrolWish(
            _people(identifier, key, name, tuple(group), roster),
            connect=connect,
            replace=replace_key,
            own_key=own_key,
            fingerprints=_fingerprints(fingerprint),
        )
        if own_key and not connect:
            raise InputError("--own-key has to log in", hint="leave out --no-connect")
        return _add(_asking(inventory, limit, yes=yes), wish, many=roster is not None, json=json)

    raise typer.Exit(guarded(work))


@app.command("list")
def list_accounts(inventory: options.Inventory = None, limit: options.Limit = None, json: _OwnJson = False) -> None:
    """List the accounts, and whether their keys are as they must be. Connects to nobody."""

    def work() -> int:
        from scupi_provision.report.inventory import print_accounts  # noqa: PLC0415 - rich is slow to import
        from scupi_provision.report.style import open_console  # noqa: PLC0415
        from scupi_provision.run.overview import account_rows  # noqa: PLC0415 - keeps `--help` fast

        request = options.inventory_request(inventory, limit, lab=False)
        rows = account_rows(_load(request), request)
        if json:
            _print_json([asdict(row) for row in rows])
        else:
            print_accounts(rows, open_console(sys.stdout))
        return 0

    raise typer.Exit(guarded(work))


@app.command()
def show(
    name: Annotated[str, typer.Argument(metavar="HOST|ID", help="A host, or an account.")],
    account: options.Account = None,
    inventory: options.Inventory = None,
    json: _OwnJson = False,
) -> None:
    """Show a host's variables, layer by layer, and the way to it. Connects to nobody."""

    def work() -> int:
        from scupi_provision.report.inventory import print_host  # noqa: PLC0415 - rich is slow to import
        from scupi_provision.report.style import open_console  # noqa: PLC0415
        from scupi_provision.run.overview import shown  # noqa: PLC0415 - keeps `--help` fast

        request = options.inventory_request(inventory, None, lab=False)
        hosts = shown(_load(request), request, name, account)
        if json:
            _print_json([asdict(host) for host in hosts])
        else:
            console = open_console(sys.stdout)
            for host in hosts:
                print_host(host, console)
        return 0

    raise typer.Exit(guarded(work))


@app.command()
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
def graph(inventory: options.Inventory = None, json: _OwnJson = False) -> None:
    """Draw the groups with their hosts and accounts. Connects to nobody."""

    def work() -> int:
        from scupi_provision.report.inventory import print_graph  # noqa: PLC0415 - rich is slow to import
        from scupi_provision.report.style import open_console  # noqa: PLC0415
        from scupi_provision.run.overview import graph as tree  # noqa: PLC0415 - keeps `--help` fast

        top = tree(_load(options.inventory_request(inventory, None, lab=False)))
        if json:
            _print_json(asdict(top))
        else:
            print_graph(top, open_console(sys.stdout))
        return 0

    raise typer.Exit(guarded(work))


@app.command()
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


def _people(
    identifier: str | None, key: str | None, name: str, groups: tuple[str, ...], roster: Path | None
) -> tuple[Enrolment, ...]:
    from scupi_provision.inventory.enrolment import Enrolment  # noqa: PLC0415 - keeps `--help` fast
    from scupi_provision.run.roster import read_roster  # noqa: PLC0415

    if roster is not None:
        if identifier is not None or name:
            raise InputError("--from names the accounts", hint="leave out ID and --name")
        return read_roster(roster, key, groups)
    if identifier is None or key is None:
        raise InputError(
            "an account needs an id and a key",
            hint="provision inventory add 2021141520001 --key ~/Downloads/id_rsa\n"
            "or, for many: provision inventory add --from students.csv",
        )
    return (Enrolment(identifier, Path(key), name, groups),)


def _fingerprints(given: list[str]) -> dict[str, str]:
    pairs = [text.partition("=") for text in given]
    for host, sign, fingerprint in pairs:
        if not (host and sign and fingerprint):
            hint = "write --fingerprint HOST=SHA256:…, as `ssh-keygen -l` prints it on the host"
            raise InputError(f"--fingerprint {host!a} does not say whose it is", hint=hint)
    return {host: fingerprint for host, _, fingerprint in pairs}


def _asking(inventory: Path | None, limit: str | None, *, yes: bool) -> RunRequest:
    """A request with the person at the terminal in it, whose trust is remembered."""
    from scupi_provision.cli.person import terminal_person  # noqa: PLC0415 - keeps `--help` fast

    request = options.inventory_request(inventory, limit, lab=False)
    new_keys = Path.home() / ".ssh" / options.KNOWN_HOSTS_PROVISION
    return replace(request, person=terminal_person(assume_yes=yes), new_keys=new_keys)


def _add(request: RunRequest, wish: EnrolWish, *, many: bool, json: bool) -> int:
    """Add them, show what became of each; the exit code."""
    from scupi_provision.inventory.enrolment import OwnKey, Standing  # noqa: PLC0415 - keeps `--help` fast
    from scupi_provision.report.inventory import print_enrolled, print_own_key, print_table  # noqa: PLC0415
    from scupi_provision.report.style import open_console  # noqa: PLC0415 - rich is slow to import
    from scupi_provision.run.accounts import add_accounts  # noqa: PLC0415
    from scupi_provision.run.own_key import give_own_keys  # noqa: PLC0415

    console = open_console(sys.stderr if json else sys.stdout)
    results = add_accounts(request, wish)
    if many:
        print_table(results, console)
    else:
        print_enrolled(results[0], console)
    failed = any(result.standing is Standing.FAILED for result in results)
    if wish.own_key:
        inventory = _load(request)
        good = {result.id for result in results if result.standing is not Standing.FAILED}
        accounts = [account for account in inventory.accounts if account.id in good]
        for account, done in give_own_keys(inventory, request, accounts):
            print_own_key(account.id, done, console)
            failed = failed or not isinstance(done, OwnKey)
    if json:
        _print_json([asdict(result) for result in results])
    elif not many:
        _print_next(request, results[0].id, console)
    return _FAILED if failed else 0


def _print_next(request: RunRequest, identifier: str, console: Console) -> None:
    from scupi_provision.report.inventory import print_next_steps  # noqa: PLC0415
    from scupi_provision.run.trial_login import ends_of  # noqa: PLC0415 - keeps `--help` fast

    inventory = _load(request)
    ends = ends_of(inventory, identifier)
    file = "" if request.inventory == Path("inventory.yaml") else str(request.inventory)
    alone = len(inventory.accounts) == 1
    print_next_steps(ends[-1].base if ends else "", "" if alone else identifier, file, console)


def _load(request: RunRequest) -> Inventory:
    from scupi_provision.inventory.load import load_inventory  # noqa: PLC0415 - keeps `--help` fast

    return load_inventory(request.inventory)


def _write(text: str, out: Path | None) -> None:
    if out is None:
        print(text, end="")
        return
    try:
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(f"{out} cannot be written", detail=str(error.strerror)) from error
    print(f"wrote {out}")


def _print_json(data: object) -> None:
    print(json_text.dumps(data, ensure_ascii=False, indent=2, default=str))
