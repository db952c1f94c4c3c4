"""`provision lab …`: two nodes on this machine, embedded (for everybody) or real (for root)."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from scupi_provision.cli.boundary import guarded
from scupi_provision.errors import InputError, ProvisionError

if TYPE_CHECKING:
    from scupi_provision.lab.commands import Lab
    from scupi_provision.lab.real.state import RealLab

app = typer.Typer(no_args_is_help=True, help="The lab: admin1 and gpu2 on this machine, over real SSH.")

Real = Annotated[
    bool,
    typer.Option("--real", help="The lab of Linux namespaces and OpenSSH's sshd (needs root), not the embedded one."),
]


def start_lab() -> Lab:
    """The running lab, started when it was not; what takes time is said on stderr."""
    from scupi_provision.lab import commands  # noqa: PLC0415 - AsyncSSH is an extra and slow to import

    return commands.up(_say)


@app.command()
def up(
    real: Real = False,
    shell: Annotated[str, typer.Option(help="With --real: the account's shell: bash, dash, busybox or mksh.")] = "bash",
    forwarding: Annotated[bool, typer.Option(help="With --real: whether admin1's sshd forwards TCP.")] = True,
    algorithms: Annotated[
        str, typer.Option(help="With --real: current, or 7.4 for what OpenSSH 7.4 offers.")
    ] = "current",
    slurm: Annotated[
        bool, typer.Option("--slurm", help="With --real: gpu2 is given out by Slurm, and entered only with a job.")
    ] = False,
    sources: Annotated[bool, typer.Option(help="Whether the mirror must serve what the roles install.")] = True,
) -> None:
    """Start the lab (the first time it fetches what its mirror serves)."""

    def work() -> int:
        lab: Lab | RealLab
        if real:
            lab = _start_real(shell, algorithms, forwarding=forwarding, slurm=slurm, sources=sources)
        elif (shell, forwarding, algorithms, slurm) != ("bash", True, "current", False):
            raise InputError(
                "the embedded lab has no choice of shell, forwarding, algorithms, Slurm", hint="add --real"
            )
        else:
            from scupi_provision.lab import commands  # noqa: PLC0415

            lab = commands.up(_say, with_sources=sources)
        print(f"the lab is up: {_whereabouts(lab)}")
        for stand_in in lab.stand_ins:
            print(f"stand-in: {stand_in}")
        if real:
            print(f"use it: provision apply site.yaml -i {lab.inventory}")
        return 0

    raise typer.Exit(guarded(work))


@app.command()
def down(real: Real = False) -> None:
    """Stop the lab; its home is kept."""

    def work() -> int:
        from scupi_provision.lab import commands  # noqa: PLC0415
        from scupi_provision.lab.real import control  # noqa: PLC0415

        ended = control.down() if real else commands.down()
        print("the lab is down" if ended else "the lab was not up")
        return 0

    raise typer.Exit(guarded(work))


@app.command()
def reset(real: Real = False) -> None:
    """Stop the lab and forget its home and keys; downloads are kept."""

    def work() -> int:
        from scupi_provision.lab import commands  # noqa: PLC0415
        from scupi_provision.lab.real import control  # noqa: PLC0415

        removed = control.reset() if real else commands.reset()
        print("the lab is gone" if removed else "there was no lab")
        return 0

    raise typer.Exit(guarded(work))


@app.command()
def status(real: Real = False) -> None:
    """Say whether the lab is up, and where."""

    def work() -> int:
        from scupi_provision.lab import commands  # noqa: PLC0415
        from scupi_provision.lab.real import control  # noqa: PLC0415

        found = control.status() if real else commands.status()
        if found.lab is None:
            print(f"the lab is down ({found.directory}{'' if found.exists else ' does not exist yet'})")
            return 1
        print(f"the lab is up (process {found.pid}): {_whereabouts(found.lab)}")
        return 0

    raise typer.Exit(guarded(work))


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def ssh(
    context: typer.Context,
    host: Annotated[str, typer.Argument(help="admin1 or gpu2")] = "admin1",
    real: Real = False,
) -> None:
    """Log in to a node of the lab with OpenSSH, or run a command there."""

    def work() -> int:
        from scupi_provision.lab import commands  # noqa: PLC0415
        from scupi_provision.lab.real import control  # noqa: PLC0415

        lab = (control.status() if real else commands.status()).lab
        if lab is None:
            raise ProvisionError("the lab is down", hint=f"start it with `provision lab up{' --real' * real}`")
        argv = [*commands.ssh_command(lab, host), *context.args]
        if os.name == "posix":
            sys.stdout.flush()
        return subprocess.run(argv, check=False).returncode

    raise typer.Exit(guarded(work))


def _start_real(shell: str, algorithms: str, *, forwarding: bool, slurm: bool, sources: bool) -> RealLab:
    from scupi_provision.lab.real.control import up as start  # noqa: PLC0415 - keeps `--help` fast
    from scupi_provision.lab.real.settings import LabSettings  # noqa: PLC0415

    return start(_say, settings=LabSettings(shell, forwarding, algorithms, slurm), with_sources=sources)


def _whereabouts(lab: Lab | RealLab) -> str:
    return f"admin1 is {lab.admin_address}:{lab.admin_port}, gpu2 is behind it; its home is {lab.home}"


def _say(text: str) -> None:
    print(f"lab: {text}", file=sys.stderr, flush=True)
