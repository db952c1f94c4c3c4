"""What the shell offers when somebody presses Tab: names from the inventory and playbooks of this folder.

A completion has nobody to tell an error to: where the inventory cannot be read, nothing is offered.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from scupi_provision.errors import ProvisionError

if TYPE_CHECKING:
    from scupi_provision.inventory.inventory import Inventory

_PLAYBOOK_ENDINGS = (".yaml", ".yml")
_NO_PLAYBOOK = frozenset({"inventory.yaml", "inventory.yml"})


def accounts(context: typer.Context, incomplete: str) -> list[str]:
    """Ids of the inventory's accounts."""
    inventory = _inventory(context)
    return _beginning(incomplete, (entry.id for entry in inventory.accounts)) if inventory else []


def hosts(context: typer.Context, incomplete: str) -> list[str]:
    """Names by which a pattern can mean hosts: their own and those of groups and accounts."""
    inventory = _inventory(context)
    return _beginning(incomplete, (*inventory.members, *(host.name for host in inventory.hosts))) if inventory else []


def nodes(context: typer.Context, incomplete: str) -> list[str]:
    """Names of machines."""
    inventory = _inventory(context)
    return _beginning(incomplete, (host.base for host in inventory.everyone.values())) if inventory else []


def playbooks(incomplete: str) -> list[str]:
    """Playbooks as they may be named: those of `playbooks/` without the folder, and YAML files by their path."""
    typed = Path(incomplete)
    folder = typed if incomplete.endswith("/") else typed.parent
    beside = [path for path in _listed(folder) if path.name not in _NO_PLAYBOOK]
    known = [] if "/" in incomplete else [path.name for path in _listed(Path("playbooks"))]
    return _beginning(incomplete, [*known, *(str(path) for path in beside)])


def _listed(folder: Path) -> list[Path]:
    """The YAML files of a folder."""
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.suffix in _PLAYBOOK_ENDINGS)


def _beginning(incomplete: str, names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(name for name in names if name.startswith(incomplete)))


def _inventory(context: typer.Context) -> Inventory | None:
    from scupi_provision.inventory.load import load_inventory  # noqa: PLC0415 - keeps `--help` fast

    first, *more = map(Path, context.params.get("inventory") or ["inventory.yaml"])
    try:
        return load_inventory(first, also=more)
    except ProvisionError:
        return None
