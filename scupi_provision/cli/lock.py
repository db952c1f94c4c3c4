"""`provision lock` and `provision bundle`: what is installed, written down, and packed for where no internet is."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from scupi_provision.cli import options
from scupi_provision.cli.boundary import guarded
from scupi_provision.cli.showing import show

_NAME = "provision.lock"


def lock(
    playbook: options.Playbook,
    inventory: options.Inventory = None,
    extra_vars: options.ExtraVars = [],  # noqa: B006 - typer copies it
    limit: options.Limit = None,
    lab: options.UseLab = False,
    json: options.Json = False,
    out: Annotated[Path, typer.Option("--out", help="The lock's file.")] = Path(_NAME),
) -> None:
    """Write down exactly what a site has installed, with addresses and hashes. For a site that has been applied."""

    def work() -> int:
        from scupi_provision.run.lock import lock as run  # noqa: PLC0415 - keeps `--help` fast
        from scupi_provision.run.site import load_site  # noqa: PLC0415

        request = options.make_request(playbook, inventory=inventory, limit=limit, lab=lab, extra_vars=extra_vars)
        return show(run(load_site(request), out), diff=False, json=json, verbose=0)

    raise typer.Exit(guarded(work))


def bundle(
    out: Annotated[Path, typer.Option("--out", "-o", help="The bundle's file.")],
    lock: Annotated[Path, typer.Argument(help="The lock, as `provision lock` wrote it.")] = Path(_NAME),
) -> None:
    """Pack everything that a lock names into one file, for `provision apply --bundle` where there is no internet."""

    def work() -> int:
        from scupi_provision.run.bundle import write_bundle  # noqa: PLC0415 - keeps `--help` fast
        from scupi_provision.run.downloads import DownloadCache, cache_folder  # noqa: PLC0415
        from scupi_provision.run.lock_file import read_lock  # noqa: PLC0415

        whole = 0
        for packed in write_bundle(read_lock(lock), DownloadCache(cache_folder()), out):
            whole += packed.size
            print(f"{packed.number} of {packed.count}: {packed.name} ({packed.size / 1e6:.1f} MB)")
        print(f"made {out} ({whole / 1e6:.0f} MB); now: provision apply SITE --bundle {out}")
        return 0

    raise typer.Exit(guarded(work))
