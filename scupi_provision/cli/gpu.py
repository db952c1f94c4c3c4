"""`provision gpu`: who is on which GPU; with --bench, how well torch computes there."""

from __future__ import annotations

import json as json_text
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from scupi_provision.cli import options
from scupi_provision.cli.boundary import guarded
from scupi_provision.cli.showing import show_results
from scupi_provision.errors import InputError, ProvisionError

if TYPE_CHECKING:
    from scupi_provision.events import Event
    from scupi_provision.gpu.node import GpuNode
    from scupi_provision.run.gpu import ProbeWish
    from scupi_provision.run.request import RunRequest

_NO_GPU_IN_THE_LAB = "no GPU in the lab"


def gpu(
    site: Annotated[str | None, typer.Argument(help="A playbook, when only its hosts are meant.")] = None,
    inventory: options.Inventory = None,
    limit: options.Limit = None,
    lab: options.UseLab = False,
    bench: Annotated[bool, typer.Option("--bench", help="Prove and time torch on a free GPU.")] = False,
    every: Annotated[bool, typer.Option("--all", help="With --bench: on every free GPU.")] = False,
    share: Annotated[bool, typer.Option("--share", help="With --bench: also on a GPU that others use.")] = False,
    all_reduce: Annotated[bool, typer.Option("--all-reduce", help="Add up over all free GPUs (NCCL).")] = False,
    python: Annotated[str, typer.Option(help="The python with torch on the host (default: that of role torch).")] = "",
    seconds: Annotated[int, typer.Option("--time", min=1, help="Seconds for the probe on each host.")] = 300,
    json: Annotated[bool, typer.Option("--json", help="Each host as one line of JSON.")] = False,
) -> None:
    """Show who uses which GPU, and which one gpu-python would take. Changes nothing.

    Exits 1 when the probe finds a problem or no GPU, 3 when a host cannot be reached.
    """

    def work() -> int:
        from scupi_provision.run.gpu import ProbeWish, gpus  # noqa: PLC0415 - keeps `--help` fast

        chosen = {"--bench": bench, "--all": every, "--share": share, "--all-reduce": all_reduce}
        words = tuple(name for name, wanted in chosen.items() if wanted)
        reason = _NO_GPU_IN_THE_LAB if lab else None
        wish = ProbeWish(python, words, seconds, reason) if bench or all_reduce else None
        if wish is None and (every or share or python):
            raise InputError("--all, --share and --python are for the probe", hint="add --bench or --all-reduce")
        request = _request(site, inventory, limit, lab=lab)
        return _show(gpus(request, of_site=site is not None, wish=wish), wish, json=json)

    raise typer.Exit(guarded(work))


def _request(site: str | None, inventory: Sequence[Path] | None, limit: str | None, *, lab: bool) -> RunRequest:
    if site is None:
        return options.inventory_request(inventory, limit, lab=lab)
    return options.make_request(site, inventory=inventory, limit=limit, lab=lab)


def _show(found: Iterator[Event | GpuNode], wish: ProbeWish | None, *, json: bool) -> int:
    """Show each host as it comes; the exit code."""
    from scupi_provision.gpu.node import GpuNode  # noqa: PLC0415 - keeps `--help` fast
    from scupi_provision.report.gpu import print_node  # noqa: PLC0415 - rich is slow to import
    from scupi_provision.report.style import open_console  # noqa: PLC0415

    console = open_console(sys.stdout)
    reports = []

    def tell(node: GpuNode) -> None:
        if json:
            print(json_text.dumps(node.data))
        else:
            print_node(node, console)
        if node.report is not None:
            reports.append(node.report)

    code = show_results(found, GpuNode, tell)
    if wish is not None and not reports and code == 0:
        raise ProvisionError("none of these hosts has a GPU to test", hint="with --lab the CPU stands in for one")
    return code or (1 if any(report.get("problem") for report in reports) else 0)
