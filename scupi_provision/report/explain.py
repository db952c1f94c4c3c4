"""Where a variable comes from, as people and programs read it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from scupi_provision.errors import Position
from scupi_provision.masking import mask
from scupi_provision.plan.explanation import Explanation
from scupi_provision.playbook.variables import Definition
from scupi_provision.report import style
from scupi_provision.report.visible import visible
from scupi_provision.values import Secretive, UnknownValue, plain_value

_HIDDEN = "********"
_WIDEST = 48
"""Characters of a value in its row; what the winner comes to is shown whole below."""


def print_explanation(found: Explanation, console: Console) -> None:
    """One host in one play: its definitions from the weakest, the winner marked, then what that comes to."""
    heading = Text(visible(found.variable), style=style.HEADING)
    seen_by = f", tasks of role {found.role}" if found.role else ""
    heading.append(visible(f"   {found.host}, play {found.number} ({found.play}){seen_by}"), style="not bold")
    console.print(heading, soft_wrap=True)
    rows = [("→" if one is found.winner else " ", one) for one in found.definitions]
    for line, look in _lines([*rows, *(("+", one) for one in found.later)]):
        console.print(Text(line, style=look), soft_wrap=True)
    if found.trouble:
        console.print(Text(visible(f"  = {found.trouble}"), style=style.WARNING), soft_wrap=True)
    elif found.winner is not None:
        console.print(Text(visible(f"  = {_shown(found.value)}")), soft_wrap=True)
    if found.later:
        console.print(Text("  + set by tasks: counts there, or from there on", style=style.QUIET), soft_wrap=True)


def _lines(rows: Sequence[tuple[str, Definition]]) -> Iterator[tuple[str, str]]:
    """Mark, level, value and place in columns; the winner stands out."""
    titles = [visible(one.layer.title + (f" ({one.owner})" if one.owner else "")) for _, one in rows]
    values = [_short(visible(_shown(one.value))) for _, one in rows]
    wide, wider = max(map(len, titles), default=0), max(map(len, values), default=0)
    looks = {"→": style.HEADING, "+": "", " ": style.QUIET}
    for (mark, one), title, value in zip(rows, titles, values, strict=True):
        yield f"{mark} {title:<{wide}}  {value:<{wider}}  {visible(_place(one.place))}".rstrip(), looks[mark]


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _WIDEST else f"{line[: _WIDEST - 1]}…"


def _place(where: Position | None) -> str:
    """`FILE:LINE`, seen from here when the file is below."""
    if where is None:
        return ""
    path = Path(where.file)
    here = Path.cwd()
    name = path.relative_to(here) if path.is_absolute() and path.is_relative_to(here) else path
    return f"{name.as_posix()}:{where.line}"


def as_data(found: Explanation) -> dict[str, Any]:
    """The same for programs: built-in types only, secrets masked."""
    return {
        "variable": found.variable,
        "host": found.host,
        "play": found.number,
        "role": found.role or None,
        "definitions": [_definition(one) for one in found.definitions],
        "set_by_tasks": [_definition(one) for one in found.later],
        "value": None if found.trouble else _plain(found.value),
        "trouble": found.trouble or None,
    }


def _definition(one: Definition) -> dict[str, Any]:
    where = one.place
    return {
        "level": one.layer.title,
        "owner": one.owner or None,
        "file": where.file if where else None,
        "line": where.line if where else None,
        "value": _plain(one.value),
    }


def _plain(value: Any) -> Any:
    if isinstance(value, Secretive):
        return _HIDDEN
    if isinstance(value, UnknownValue):
        return repr(value)
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return mask().hide(value) if isinstance(value, str) else plain_value(value)


def _shown(value: Any) -> str:
    if isinstance(value, UnknownValue):
        return str(repr(value)).removeprefix("<known after apply: ").removesuffix(">")
    plain = _plain(value)
    return plain if isinstance(plain, str) else json.dumps(plain, ensure_ascii=False, default=str)
