"""A rescue as people read it: the ways that were tried, what is wrong and where, what was done about it."""

from __future__ import annotations

import dataclasses
import json
from enum import Enum

from rich.console import Console
from rich.text import Text

from scupi_provision.host.recovery import (
    Finding,
    Healthy,
    LoggedIn,
    ModeFinding,
    Repaired,
    Restored,
    Step,
    Unrepaired,
    WayTried,
)
from scupi_provision.report import style
from scupi_provision.report.visible import visible, visible_lines

_MOST_LINES = 8
"""Of a guilty statement; the rest is counted."""


def step_line(step: Step) -> str:
    """The step as one line of JSON: its kind under "step", then its fields."""
    fields = {name: value.name.lower() if isinstance(value, Enum) else value for name, value in _fields(step)}
    return json.dumps({"step": type(step).__name__, **fields})


def _fields(step: Step) -> list[tuple[str, object]]:
    return [(field.name, getattr(step, field.name)) for field in dataclasses.fields(step)]


def print_step(step: Step, console: Console) -> None:
    """One step."""
    for line in _lines(step):
        console.print(line, soft_wrap=True)


def _lines(step: Step) -> list[Text]:
    if isinstance(step, WayTried):
        return _way(step)
    if isinstance(step, Finding):
        return _finding(step)
    if isinstance(step, ModeFinding):
        return [_headed("wrong", f"{step.path} has mode {step.mode:o}: others may write there, so sshd accepts no key")]
    if isinstance(step, LoggedIn):
        return _login(step)
    return [_done(step)]


def _done(step: Repaired | Restored | Unrepaired | Healthy) -> Text:
    if isinstance(step, Repaired):
        kept = f"; as it was: {step.backup}" if step.backup else ""
        return _headed("repaired", f"{step.path}{kept}", style.GOOD)
    if isinstance(step, Restored):
        kept = f"; as it was just now: {step.backup}" if step.backup else ""
        return _headed("restored", f"{step.path} from {step.of}{kept}", style.GOOD)
    if isinstance(step, Unrepaired):
        return _headed("left", step.why, style.WARNING)
    return _headed("well", "nothing is wrong with the account's start-up files", style.GOOD)


def _way(step: WayTried) -> list[Text]:
    if not step.problem:
        return [_headed("in by", step.way, style.GOOD)]
    first, *rest = visible_lines(step.problem) or [""]
    return [_headed("not by", f"{step.way}: {first}", style.WARNING), *(Text(f"            {line}") for line in rest)]


def _finding(step: Finding) -> list[Text]:
    where = f"{step.path}:{step.first}" + (f"-{step.last}" if step.last > step.first else "")
    lines = [_headed("wrong", f"{where}: {step.fault.value}")]
    shown = visible_lines(step.text)
    lines += [Text(f"            | {line}") for line in shown[:_MOST_LINES]]
    if len(shown) > _MOST_LINES:
        lines.append(Text(f"            | (and {len(shown) - _MOST_LINES} more lines)", style=style.QUIET))
    if step.said:
        lines.append(Text(f"            it says: {visible(step.said)}"))
    if step.ours:
        lines.append(Text("            this is provision's own block: `provision rollback` may be what you want"))
    return lines


def _login(step: LoggedIn) -> list[Text]:
    if not step.problem:
        return [_headed("works", f"a fresh login on {step.host} over every hop ({step.seconds:.1f} s)", style.GOOD)]
    return [_headed("still", step.problem, style.ERROR)]


def _headed(head: str, text: str, head_style: str = style.ERROR) -> Text:
    return Text.assemble("  ", (f"{head:<10}", head_style), visible(text))
