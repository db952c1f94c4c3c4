"""The choice of a torch build, as people read it."""

from __future__ import annotations

import shlex

from rich.console import Console
from rich.table import Table
from rich.text import Text

from scupi_provision.gpu import explain, installing
from scupi_provision.gpu.resolver import Rejection, Resolution
from scupi_provision.gpu.torch_builds import CONDA_FORGE, CPU, Build
from scupi_provision.report import style


def print_resolution(found: Resolution, console: Console) -> None:
    """Print what was chosen, how to install it, why nothing newer, and what else there is."""
    if found.choice is None:
        console.print(Text(explain.why(found), style=f"bold {style.BAD}"), soft_wrap=True)
    else:
        _print_choice(found, found.choice, console)
    if found.rejected:
        console.print(Text("\nwhy nothing newer" if found.choice else "\nwhy not", style=style.HEADING))
        console.print(_rejections(found.rejected))
    _print_list("what else there is", explain.alternatives(found), console)
    _print_list("to know", explain.notes(found), console)


def _print_choice(found: Resolution, build: Build, console: Console) -> None:
    console.print(Text(f"torch {build.name}", style=f"bold {style.GOOD}"))
    for name, words in (
        ("suits", explain.machine_words(found.machine, found.table, on_gpu=build.tag != CPU)),
        ("needs", explain.needs(build)),
        ("install", _command(found, build)),
    ):
        console.print(Text.assemble((f"  {name:<8}", style.QUIET), words), soft_wrap=True)


def _rejections(rejected: tuple[Rejection, ...]) -> Table:
    table = Table(box=None, show_header=False, padding=(0, 2), leading=1)
    table.add_column(style=style.QUIET)
    table.add_column()
    for group in explain.groups(rejected):
        table.add_row("\n".join(group.builds), "\n".join(group.reasons))
    return table


def _print_list(title: str, lines: tuple[str, ...], console: Console) -> None:
    if lines:
        console.print(Text(f"\n{title}", style=style.HEADING))
    for line in lines:
        console.print(Text(f"  {line}"), soft_wrap=True)


def _command(found: Resolution, build: Build) -> str:
    """The command that installs `build` and the companions, as one would type it."""
    if build.channel == CONDA_FORGE:
        return shlex.join(["conda", "install", "-c", CONDA_FORGE, *installing.conda_packages(build, found.wish)])
    binary = ["--only-binary", ":all:"] if installing.only_binary(found.machine, found.table) else []
    spec = installing.pip_requirements(build, found.wish, found.table)
    (index,) = installing.index_urls(build.tag)
    return shlex.join(["pip", "install", *binary, *spec, "--index-url", index])
