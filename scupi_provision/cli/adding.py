"""`provision inventory add`: one account, or a class of them."""

from __future__ import annotations

import json as json_text
import sys
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from scupi_provision.cli import options
from scupi_provision.cli.boundary import guarded
from scupi_provision.errors import InputError

if TYPE_CHECKING:
    from scupi_provision.inventory.enrolment import Enrolled, Enrolment, EnrolWish
    from scupi_provision.run.request import RunRequest

_FAILED = 3
Json = Annotated[bool, typer.Option("--json", help="As JSON on stdout.")]


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
    json: Json = False,
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


def _asking(inventory: Sequence[Path] | None, limit: str | None, *, yes: bool) -> RunRequest:
    """A request with the person at the terminal in it, whose trust is remembered."""
    from scupi_provision.cli.person import terminal_person  # noqa: PLC0415 - keeps `--help` fast

    request = options.inventory_request(inventory, limit, lab=False)
    new_keys = Path.home() / ".ssh" / options.KNOWN_HOSTS_PROVISION
    return replace(request, person=terminal_person(assume_yes=yes), new_keys=new_keys)


def _add(request: RunRequest, wish: EnrolWish, *, many: bool, json: bool) -> int:
    """Add them, show what became of each; the exit code."""
    from scupi_provision.inventory.enrolment import Enrolled, Standing  # noqa: PLC0415 - keeps `--help` fast
    from scupi_provision.report.inventory import (  # noqa: PLC0415
        print_enrolled,
        print_next_steps,
        print_table,
        print_tried,
    )
    from scupi_provision.report.style import open_console  # noqa: PLC0415 - rich is slow to import
    from scupi_provision.run.accounts import add_accounts  # noqa: PLC0415

    console = open_console(sys.stderr if json else sys.stdout)
    results = []
    for told in add_accounts(request, wish):
        if isinstance(told, Enrolled):
            results.append(told)
        elif many:
            print_tried(told, open_console(sys.stderr))
    if many:
        print_table(results, console)
    else:
        print_enrolled(results[0], console)
    good = {result.id for result in results if result.standing is not Standing.FAILED}
    all_well = len(good) == len(results)
    if wish.own_key:
        all_well &= _give_own_keys(request, good, json=json)
    if json:
        print_json([asdict(result) for result in results])
    elif not many:
        print_next_steps(*_told(request, results[0]), console)
    return 0 if all_well else _FAILED


def _give_own_keys(request: RunRequest, identifiers: set[str], *, json: bool) -> bool:
    """Show how it went for each; whether all have one now."""
    from scupi_provision.inventory.enrolment import OwnKey  # noqa: PLC0415 - keeps `--help` fast
    from scupi_provision.inventory.load import load_inventory  # noqa: PLC0415
    from scupi_provision.report.inventory import print_own_key  # noqa: PLC0415 - rich is slow to import
    from scupi_provision.report.style import open_console  # noqa: PLC0415
    from scupi_provision.run.own_key import give_own_keys  # noqa: PLC0415

    console = open_console(sys.stderr if json else sys.stdout)
    inventory = load_inventory(request.inventory, also=request.more_inventories)
    accounts = [account for account in inventory.accounts if account.id in identifiers]
    all_well = True
    for account, done in give_own_keys(inventory, request, accounts):
        print_own_key(account.id, done, console)
        all_well &= isinstance(done, OwnKey)
    return all_well


def _told(request: RunRequest, result: Enrolled) -> tuple[str, str, str]:
    """Of the next steps what is not the same for everybody: host, account and inventory, "" where it goes unsaid."""
    from scupi_provision.inventory.load import load_inventory  # noqa: PLC0415 - keeps `--help` fast
    from scupi_provision.run.trial_login import ends_of  # noqa: PLC0415

    inventory = load_inventory(request.inventory, also=request.more_inventories)
    ends = ends_of(inventory, result.id)
    file = "" if request.inventory == Path("inventory.yaml") else str(request.inventory)
    alone = len(inventory.accounts) == 1
    return (ends[-1].base if ends else ""), ("" if alone else result.id), file


def print_json(data: object) -> None:
    """For programs: paths and the like as text, secrets as stars."""
    from scupi_provision.masking import mask  # noqa: PLC0415 - keeps `--help` fast

    print(mask().hide(json_text.dumps(data, ensure_ascii=False, indent=2, default=str)))
