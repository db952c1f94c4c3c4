"""What went wrong on a host, with everything a person needs to go on: place, cause, output, log, advice."""

from __future__ import annotations

from rich.text import Text

from scupi_provision.events import CheckFinished, HostUnreachable, Notice, Proved, TaskFinished, TaskLabel
from scupi_provision.report import style
from scupi_provision.report.errors import diagnostic_lines, headline, hint_lines, indented, place_lines
from scupi_provision.report.visible import shortened, visible, visible_lines
from scupi_provision.report.wording import counted

OUTPUT_LINES = 25
"""Last lines of a failed command that are shown; the full log is named below them."""
LINE_LIMIT = 400
"""Characters of one line of output that are shown."""


def failed_task_lines(event: TaskFinished, width: int) -> list[Text]:
    """The task and host, its place with a caret, the cause, the last lines of output, the full log, the hint."""
    error = event.error
    lines = [headline("error", f"{event.task} failed on {event.host}", style.ERROR)]
    where = (error and error.where) or event.task.where
    if where:
        lines += place_lines(where, error.excerpt if error and error.where else "", width)
    causes = [event.message, *((error.summary, error.detail) if error else ())]
    for cause in dict.fromkeys(cause.strip("\r\n") for cause in causes):
        lines += indented(_ends(visible_lines(cause)))
    if event.output.strip():
        lines.append(Text("  the last lines of its output:", style=style.QUIET))
        lines += indented(_ends(visible_lines(event.output)), "    | ")
    if event.log:
        lines.append(Text(f"  full log: {visible(event.host)}:{visible(event.log)}"))
    return lines + hint_lines(error.hint if error else "")


def failed_check_lines(event: CheckFinished, width: int) -> list[Text]:
    """The claim, where it is made, and both values in full."""
    lines = [headline("error", f"check failed on {event.host}: {event.task}", style.ERROR)]
    if event.task.where:
        lines += place_lines(event.task.where, "", width)
    return lines + _value_lines("expected", event.expected) + _value_lines("saw", event.seen)


def unreachable_lines(event: HostUnreachable, width: int, *, explained: bool = False) -> list[Text]:
    """The diagnostic of the connection, unless it was `explained` before, and the host which drops out."""
    lines = [] if explained else diagnostic_lines(event.error, width)
    reason = " for the same reason" if explained else ""
    return [*lines, Text(f"  {visible(event.host)} drops out of this run{reason}", style=style.QUIET)]


def warning_lines(event: Notice) -> list[Text]:
    """`warning: admin1: ...`."""
    host = f"{event.host}: " if event.host else ""
    return [headline("warning", f"{host}{event.text}", style.WARNING)]


def unproved_lines(event: Proved) -> list[Text]:
    """The tasks that a fresh read of the host would still change: a bug in their module, or somebody else's hand."""
    tasks = counted(len(event.remaining), "task")
    lines = [headline("warning", f"{event.host}: not proved: {tasks} would still change something", style.WARNING)]
    return lines + [Text(f"  {visible(str(task))}{_place(task)}") for task in event.remaining]


def _place(task: TaskLabel) -> str:
    return f"   {visible(str(task.where))}" if task.where else ""


def _value_lines(name: str, value: str) -> list[Text]:
    label = f"  {name + ':':<9} "
    first, *rest = _ends(visible_lines(value)) or ["nothing"]
    return [Text(label + first), *indented(rest, " " * len(label))]


def _ends(lines: list[str]) -> list[str]:
    """The last lines, each cut; says how many came before."""
    left_out = len(lines) - OUTPUT_LINES
    cut = [shortened(line, LINE_LIMIT) for line in lines[-OUTPUT_LINES:]]
    return [f"... {counted(left_out, 'earlier line')} left out", *cut] if left_out > 0 else cut
