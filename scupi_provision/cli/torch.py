"""`provision torch …`: which build of PyTorch suits which machine, answered by a table that comes with us."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from scupi_provision.cli import options
from scupi_provision.cli.boundary import guarded
from scupi_provision.cli.vault_options import opens_vaults
from scupi_provision.errors import InputError

if TYPE_CHECKING:
    from scupi_provision.gpu.resolver import Resolution

EXIT_NOTHING_SUITS = 1
"""There is no build with CUDA for such a machine."""

app = typer.Typer(no_args_is_help=True, help="Which build of PyTorch suits a driver, a GPU and a C library.")


@app.callback()
def _group() -> None:
    """Keep `explain` a command of its own: typer makes a single one the group itself."""


@app.command()
@opens_vaults
def explain(
    driver: Annotated[str, typer.Option(help='"Driver Version" of nvidia-smi, e.g. 510.47.03.')] = "",
    cc: Annotated[list[str], typer.Option(help="Compute capability of a GPU, e.g. 8.0; again for each kind.")] = [],  # noqa: B006 - typer copies it
    glibc: Annotated[
        list[str], typer.Option(help="C library of a node, e.g. 2.17; of several, the oldest counts.")
    ] = [],  # noqa: B006
    python: Annotated[str, typer.Option(help="Python of the environment; any when not given.")] = "",
    cuda: Annotated[str, typer.Option(help='"CUDA Version" of nvidia-smi: what the driver itself supports.')] = "",
    pin: Annotated[str, typer.Option(help="A version (2.4.1), a series (2.4), a build (2.4.1+cu121) or a range.")] = "",
    tag: Annotated[str, typer.Option(help="Only this index of PyTorch, e.g. cu118; cpu; conda-forge.")] = "",
    want: Annotated[list[str], typer.Option("--with", help="A companion: torchvision, torchaudio.")] = [],  # noqa: B006
    unsure: Annotated[bool, typer.Option("--unsure", help="Also builds that the table is not sure of.")] = False,
    host: Annotated[str, typer.Option("--host", help="Ask this host of the inventory for what is not given.")] = "",
    inventory: options.Inventory = None,
    lab: options.UseLab = False,
    json: Annotated[bool, typer.Option("--json", help="The answer as JSON.")] = False,
) -> None:
    """Say which build suits such a machine, why, and why no newer one does. Without --host no connection is made.

    Exits 1 when no build with CUDA suits.
    """

    def work() -> int:
        told = _Told(driver, cuda, cc, glibc)
        if (inventory or lab) and not host:
            raise InputError("--inventory and --lab say where a host is; name the host with --host")
        if host:
            told = _asked(host, inventory, told, lab=lab)
        found = _resolve(told, python, pin, tag, want, unsure=unsure)
        _show(found, json=json)
        return 0 if found.choice is not None else EXIT_NOTHING_SUITS

    raise typer.Exit(guarded(work))


@dataclass(frozen=True)
class _Told:
    """A machine in the words of the command line."""

    driver: str
    cuda: str
    capabilities: list[str]
    glibc: list[str]


def _asked(host: str, inventory: Sequence[Path] | None, told: _Told, *, lab: bool) -> _Told:
    """What was told, and the rest from the host's facts; the C libraries of all hosts on the way count."""
    from scupi_provision.run.asking import facts_on_the_way  # noqa: PLC0415 - keeps `--help` fast

    facts = facts_on_the_way(options.inventory_request(inventory, None, lab=lab), host)
    node = facts[-1]
    if not told.driver and not node["nvidia_driver"]:
        print(f"note: {host} has no NVIDIA driver", file=sys.stderr)
    return _Told(
        told.driver or node["nvidia_driver"],
        told.cuda or node["cuda_driver"],
        told.capabilities or node["compute_caps"],
        told.glibc or [each["glibc"] for each in facts],
    )


def _resolve(told: _Told, python: str, pin: str, tag: str, companions: list[str], *, unsure: bool) -> Resolution:
    from scupi_provision.gpu.machine import read_machine, read_wish  # noqa: PLC0415 - keeps `--help` fast
    from scupi_provision.gpu.resolver import resolve  # noqa: PLC0415
    from scupi_provision.gpu.torch_builds import torch_builds  # noqa: PLC0415
    from scupi_provision.source import suggestion  # noqa: PLC0415

    table = torch_builds()
    try:
        machine = read_machine(
            driver=told.driver, cuda=told.cuda, capabilities=told.capabilities, glibc=told.glibc, python=python
        )
        wish = read_wish(version=pin, tag=tag, companions=companions, unsure=unsure)
    except ValueError as error:
        raise InputError(str(error)) from error
    if wish.tag and wish.tag not in table.tags():
        hint = suggestion(wish.tag, table.tags()) or f"there are: {', '.join(table.tags())}"
        raise InputError(f"PyTorch has no index {wish.tag}", hint=hint)
    if not machine.driver and wish.tag != "cpu":
        raise InputError(
            "without the driver of the GPU node there is nothing to choose by",
            hint="give --driver (nvidia-smi shows it as Driver Version), or --tag cpu for a build without CUDA",
        )
    return resolve(machine, wish, table)


def _show(found: Resolution, *, json: bool) -> None:
    if json:
        import json as json_text  # noqa: PLC0415

        from scupi_provision.report.torch_data import resolution_as_data  # noqa: PLC0415 - without rich

        print(json_text.dumps(resolution_as_data(found), indent=2))
        return
    from scupi_provision.report.style import open_console  # noqa: PLC0415 - rich is slow to import
    from scupi_provision.report.torch import print_resolution  # noqa: PLC0415

    print_resolution(found, open_console(sys.stdout))
