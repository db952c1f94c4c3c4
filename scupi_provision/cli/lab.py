"""`provision lab …`: the embedded two-node cluster."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from scupi_provision.cli.boundary import guarded
from scupi_provision.errors import ProvisionError

if TYPE_CHECKING:
    from scupi_provision.lab.commands import Lab

app = typer.Typer(no_args_is_help=True, help="The embedded lab: admin1 and gpu2 on this machine, over real SSH.")


def start_lab() -> Lab:
    """The running lab, started when it was not; what takes time is said on stderr."""
    from scupi_provision.lab import commands  # noqa: PLC0415 - AsyncSSH is an extra and slow to import

    return commands.up(lambda text: print(f"lab: {text}", file=sys.stderr, flush=True))


@app.command()
def up() -> None:
    """Start the lab (the first time it fetches the sources of git and the wheels of torch)."""

    def work() -> int:
        lab = start_lab()
        print(f"the lab is up: admin1 is 127.0.0.1:{lab.admin_port}, gpu2 is behind it; its home is {lab.home}")
        for stand_in in lab.stand_ins:
            print(f"stand-in: {stand_in}")
        return 0

    raise typer.Exit(guarded(work))


@app.command()
def down() -> None:
    """Stop the lab; its home is kept."""
    from scupi_provision.lab import commands  # noqa: PLC0415

    def work() -> int:
        print("the lab is down" if commands.down() else "the lab was not up")
        return 0

    raise typer.Exit(guarded(work))


@app.command()
def reset() -> None:
    """Stop the lab and forget its home and keys; downloads are kept."""
    from scupi_provision.lab import commands  # noqa: PLC0415

    def work() -> int:
        print("the lab is gone" if commands.reset() else "there was no lab")
        return 0

    raise typer.Exit(guarded(work))


@app.command()
def status() -> None:
    """Say whether the lab is up, and where."""
    from scupi_provision.lab import commands  # noqa: PLC0415

    def work() -> int:
        found = commands.status()
        if found.lab is None:
            print(f"the lab is down ({found.directory}{'' if found.exists else ' does not exist yet'})")
            return 1
        print(f"the lab is up (process {found.pid}): admin1 is 127.0.0.1:{found.lab.admin_port}, home {found.lab.home}")
        return 0

    raise typer.Exit(guarded(work))


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def ssh(
    context: typer.Context,
    host: Annotated[str, typer.Argument(help="admin1 or gpu2")] = "admin1",
) -> None:
    """Log in to a node of the lab with OpenSSH, or run a command there."""
    from scupi_provision.lab import commands  # noqa: PLC0415

    def work() -> int:
        lab = commands.status().lab
        if lab is None:
            raise ProvisionError("the lab is down", hint="start it with `provision lab up`")
        argv = [*commands.ssh_command(lab, host), *context.args]
        if os.name == "posix":
            sys.stdout.flush()
        return subprocess.run(argv, check=False).returncode

    raise typer.Exit(guarded(work))
