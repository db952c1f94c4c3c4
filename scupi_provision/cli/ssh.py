"""`provision ssh-config`, `ssh` and `trust`: logging in as a person, and knowing to whom."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from scupi_provision.cli import options
from scupi_provision.cli.boundary import guarded
from scupi_provision.errors import InputError

if TYPE_CHECKING:
    from scupi_provision.inventory.inventory import Inventory
    from scupi_provision.run.request import RunRequest

ConfigFile = Annotated[Path | None, typer.Argument(help="Another file than ~/.ssh/config, to write or clean.")]


def ssh_config(
    file: ConfigFile = None,
    write: Annotated[bool, typer.Option("--write", help="Write them into the marked block of the file.")] = False,
    remove: Annotated[bool, typer.Option("--remove", help="Take the marked block out of the file again.")] = False,
    account: options.Account = None,
    inventory: options.Inventory = None,
    lab: options.UseLab = False,
) -> None:
    """Print the hosts as sections of ~/.ssh/config, for ssh and VS Code; or keep them there in one marked block.

    With several accounts every alias ends with the account's id, unless one is chosen.
    """

    def work() -> int:
        from scupi_provision.report.ssh import print_removed, print_written  # noqa: PLC0415 - rich is slow to import
        from scupi_provision.report.style import open_console  # noqa: PLC0415
        from scupi_provision.run.ssh_config import ssh_config_text  # noqa: PLC0415 - keeps `--help` fast
        from scupi_provision.run.ssh_file import remove_block, write_block  # noqa: PLC0415

        if write and remove:
            raise InputError("--write and --remove exclude each other")
        if file is not None and not (write or remove):
            raise InputError("a file is only for --write and --remove", hint=f"provision ssh-config --write {file}")
        target = (file or Path.home() / ".ssh/config").expanduser()
        if remove:
            print_removed(remove_block(target), open_console(sys.stdout))
            return 0
        request, hosts = _request(inventory, lab=lab)
        if not write:
            print(ssh_config_text(hosts, request, account), end="")
            return 0
        print_written(write_block(hosts, request, account, target), open_console(sys.stdout))
        return 0

    raise typer.Exit(guarded(work))


def ssh(
    node: Annotated[str, typer.Argument(help="A host of the inventory.")],
    command: Annotated[list[str] | None, typer.Argument(help="After --: a program and its arguments.")] = None,
    terminal: Annotated[bool, typer.Option("--tty", "-t", help="Give the command a terminal.")] = False,
    account: options.Account = None,
    inventory: options.Inventory = None,
    lab: options.UseLab = False,
) -> None:
    """Log in on a node, or run one command there, over every hop; its exit status is passed on.

    Arguments arrive exactly as they were given. For pipes and the like: -- sh -c 'a | b'.
    """

    def work() -> int:
        from scupi_provision.run.choosing import choose_host  # noqa: PLC0415 - keeps `--help` fast
        from scupi_provision.run.ssh import SSH_FAILED, SshWish, log_in  # noqa: PLC0415

        request, hosts = _request(inventory, lab=lab)
        host = choose_host(hosts, node, account)
        ended = log_in(hosts, request, host, SshWish(tuple(command or ()), terminal), _remark)
        sys.stdout.buffer.write(ended.stdout)
        sys.stderr.buffer.write(ended.stderr)
        if ended.status == SSH_FAILED:
            _remark(
                f"ssh ended with 255: it could not log in, or the command ended so; look with: provision doctor {node}"
            )
        return ended.status

    raise typer.Exit(guarded(work))


def trust(
    hosts: Annotated[list[str] | None, typer.Argument(help="Hosts of the inventory (default: all).")] = None,
    fingerprint: Annotated[
        list[str], typer.Option("--fingerprint", help="The key that it must have: SHA256:… or HOST=SHA256:…")
    ] = [],  # noqa: B006 - typer copies it
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Trust what is not known yet without asking.")] = False,
    replace_: Annotated[
        bool, typer.Option("--replace", help="With --yes: also in place of a key that was trusted so before.")
    ] = False,
    account: options.Account = None,
    inventory: options.Inventory = None,
    lab: options.UseLab = False,
) -> None:
    """Show the key of every hop on the way, and remember it in ~/.ssh/known_hosts_provision when you say yes.

    A key that has changed is refused, and both are shown. Nothing is sent to a host before its key is trusted.
    """

    def work() -> int:
        from scupi_provision.report.ssh import print_trusted  # noqa: PLC0415 - rich is slow to import
        from scupi_provision.report.style import open_console  # noqa: PLC0415
        from scupi_provision.run.introductions import check_fingerprints  # noqa: PLC0415 - keeps `--help` fast
        from scupi_provision.run.trust import hosts_to_meet  # noqa: PLC0415
        from scupi_provision.run.trust import trust as meet  # noqa: PLC0415

        request, inventory_ = _request(inventory, lab=lab, yes=yes)
        given = _fingerprints(fingerprint, hosts or [])
        check_fingerprints(given, inventory_)
        console, shown = open_console(sys.stdout), set()
        for host in hosts_to_meet(inventory_, hosts or [], account):
            for key in meet(inventory_, request, host, fingerprints=given, replace=replace_ and yes):
                if key.host not in shown:
                    print_trusted(key, console)
                shown.add(key.host)
        return 0

    raise typer.Exit(guarded(work))


def _request(inventory: Sequence[Path] | None, *, lab: bool, yes: bool = False) -> tuple[RunRequest, Inventory]:
    """A request with whoever sits at the terminal in it, and the inventory; trust is remembered in our own file."""
    from scupi_provision.cli.person import terminal_person  # noqa: PLC0415 - keeps `--help` fast
    from scupi_provision.inventory.load import load_inventory  # noqa: PLC0415

    request = options.inventory_request(inventory, None, lab=lab)
    new_keys = Path.home() / ".ssh" / options.KNOWN_HOSTS_PROVISION
    known = load_inventory(request.inventory, also=request.more_inventories)
    known.require_accounts()
    return replace(request, person=terminal_person(assume_yes=yes), new_keys=new_keys), known


def _fingerprints(texts: list[str], hosts: list[str]) -> dict[str, str]:
    """By host; one without a host is that of the only host that was named."""
    given = {}
    for text in texts:
        host, _, value = text.partition("=") if not text.startswith("SHA256:") else ("", "", text)
        if not host and len(hosts) != 1:
            hint = "write --fingerprint HOST=SHA256:…"
            raise InputError(f"--fingerprint {text!a} does not say whose it is", hint=hint)
        given[host or hosts[0]] = value
    return given


def _remark(text: str) -> None:
    print(text, file=sys.stderr)
