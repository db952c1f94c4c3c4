"""`provision doc`: the modules, and what each of them takes."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from scupi_provision.cli.boundary import guarded
from scupi_provision.errors import InputError

if TYPE_CHECKING:
    from scupi_provision.modules.contract import Module


def doc(
    module: Annotated[str | None, typer.Argument(help="A module, short or fully qualified (default: all).")] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Say what a module does and what it takes; without a name, list the modules."""
    raise typer.Exit(guarded(lambda: _doc(module, as_json=as_json)))


def _doc(name: str | None, *, as_json: bool) -> int:
    from scupi_provision.modules.describing import describe  # noqa: PLC0415 - keeps `--help` fast
    from scupi_provision.modules.registry import MODULES  # noqa: PLC0415 - likewise

    found = [_find(name)] if name is not None else [MODULES[each] for each in sorted(MODULES)]
    told = [describe(each) for each in found]
    if as_json:
        import json  # noqa: PLC0415 - likewise

        values = [asdict(each) for each in told]
        print(json.dumps(values if name is None else values[0], indent=2, ensure_ascii=False))
        return 0
    from scupi_provision.report.modules import print_module, print_modules  # noqa: PLC0415 - likewise
    from scupi_provision.report.style import open_console  # noqa: PLC0415 - likewise

    console = open_console(sys.stdout)
    if name is None:
        print_modules(told, console)
    else:
        print_module(told[0], console)
    return 0


def _find(name: str) -> Module:
    from scupi_provision.modules.registry import LATER, MODULES, ROOT_ONLY, find  # noqa: PLC0415 - as above
    from scupi_provision.source import suggestion  # noqa: PLC0415 - as above

    module = find(name)
    if module is not None:
        return module
    short = name.rpartition(".")[2]
    if short in ROOT_ONLY:
        raise InputError(f"the module {name} needs root, which nobody has on the cluster", hint=ROOT_ONLY[short])
    if short in LATER:
        raise InputError(f"the module {name} is not supported yet")
    raise InputError(f"there is no module {name}", hint=suggestion(short, MODULES) or "`provision doc` lists them")
