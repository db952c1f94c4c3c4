"""Facts of a host as people read them: a line each, in words that a playbook would use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from scupi_provision.report import style
from scupi_provision.report.visible import visible


def print_facts(host: str, facts: Mapping[str, Any], console: Console) -> None:
    """One host: its name, then each fact with its value. Text of the host's is shown, never interpreted."""
    console.print(Text(visible(host), style=style.HEADING), soft_wrap=True)
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in facts.items():
        table.add_row(Text(f"  {name}", style=style.QUIET), Text(_told(value)))
    console.print(table)


def _told(value: Any) -> str:
    """A list or mapping one item a line, so that the programs found on PATH can be read."""
    if isinstance(value, Mapping):
        return "\n".join(f"{visible(str(key))}: {_told(item)}" for key, item in value.items()) or "none"
    if isinstance(value, list):
        return "\n".join(_told(item) for item in value) or "none"
    return visible(str(value)) or "none"
