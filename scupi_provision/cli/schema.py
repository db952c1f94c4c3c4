"""`provision schema`: what editors need to complete and check playbooks, files of tasks and inventories."""

from __future__ import annotations

import json
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from scupi_provision.cli.boundary import guarded
from scupi_provision.errors import InputError


class Kind(str, Enum):
    """What a schema is for."""

    PLAYBOOK = "playbook"
    TASKS = "tasks"
    INVENTORY = "inventory"


def schema(
    kind: Annotated[Kind, typer.Argument(help="What the schema is for.")] = Kind.PLAYBOOK,
    *,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Write it to this file.")] = None,
) -> None:
    """Write the JSON schema by which an editor completes and checks what you type."""
    raise typer.Exit(guarded(lambda: _schema(kind, out)))


def _schema(kind: Kind, out: Path | None) -> int:
    from scupi_provision.inventory.schema import inventory_schema  # noqa: PLC0415 - keeps `--help` fast
    from scupi_provision.modules.registry import MODULES  # noqa: PLC0415 - likewise
    from scupi_provision.playbook.schema import playbook_schema, tasks_schema  # noqa: PLC0415 - likewise

    modules = MODULES.values()
    made = {
        Kind.PLAYBOOK: lambda: playbook_schema(modules),
        Kind.TASKS: lambda: tasks_schema(modules),
        Kind.INVENTORY: inventory_schema,
    }[kind]()
    text = json.dumps(made, indent=2, ensure_ascii=False)
    if out is None:
        print(text)
        return 0
    try:
        out.write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise InputError(f"{out} cannot be written: {error.strerror}", hint="name another file with --out") from None
    return 0
