"""One event, one line (or a few): pure functions from events to text."""

from __future__ import annotations

from rich.cells import cell_len
from rich.text import Text

from scupi_provision.events import (
    CheckFinished,
    HostConnected,
    Notice,
    Outcome,
    PlayStarted,
    Proved,
    RunStarted,
    TaskFinished,
    TaskLabel,
    Verified,
)
from scupi_provision.report import style
from scupi_provision.report.visible import shortened, visible, visible_lines
from scupi_provision.report.wording import counted, duration, listed

SEEN_LIMIT = 160
"""Characters of an expected or seen value on a check's own line."""
_NOTEWORTHY_SECONDS = 1.0
"""A task that took less does not say how long."""


def header_lines(event: RunStarted) -> list[Text]:
    """The verb, the site, the hosts; then, plainly, what in this run is not the real thing."""
    header = Text(f"provision {visible(event.verb)} {visible(event.site)}", style=style.HEADING)
    if event.hosts:
        header.append(f" on {listed(event.hosts)}", style="not bold")
    return [header, *(Text(f"stand-in: {visible(each)}", style="yellow") for each in event.stand_ins)]


def connected_line(event: HostConnected) -> Text:
    """`connected gpu2 at 10.0.0.2 via admin1 (0.8s)`."""
    via = f" via {', '.join(map(visible, event.via))}" if event.via else ""
    place = f"{visible(event.host)} at {visible(event.address)}{via}"
    return Text(f"connected {place} ({duration(event.seconds)})", style=style.QUIET)


def note_lines(event: Notice) -> list[Text]:
    """`note: admin1: ...`, further lines indented under the first."""
    host = f"{event.host}: " if event.host else ""
    first, *rest = visible_lines(host + event.text) or [""]
    return [Text(f"note: {first}"), *(Text(f"      {line}") for line in rest)]


def play_heading(event: PlayStarted) -> Text:
    """`play: the environment   admin1`."""
    kind = "verify" if event.stage == "verify" else "play"
    heading = Text(f"{kind}: {visible(event.name)}", style=style.HEADING)
    heading.append(f"   {listed(event.hosts)}", style="not bold")
    return heading


def task_line(event: TaskFinished, word_cells: int) -> Text:
    """`  changed  git : build git 2.39.5   admin1   (1m 52s)`, the outcome padded to `word_cells`."""
    line = _worded(style.OUTCOME_WORDS[event.outcome], style.OUTCOME_STYLES[event.outcome], word_cells)
    line.append(f"{visible(str(event.task))}   {visible(event.host)}")
    if event.seconds >= _NOTEWORTHY_SECONDS:
        line.append(f"   ({duration(event.seconds)})", style=style.QUIET)
    return line


def running_line(host: str, task: TaskLabel, state: str, word_cells: int) -> Text:
    """`  running  git : build git 2.39.5   admin1   make, 30s`; `state` is already visible text."""
    line = _worded("running", style.QUIET, word_cells)
    line.append(f"{visible(str(task))}   {visible(host)}   {state}")
    return line


def is_shown(event: TaskFinished, verbosity: int) -> bool:
    """Whether a task gets its line: always when something changed or went wrong, or when it is there to be read."""
    quiet = event.outcome in {Outcome.OK, Outcome.SKIPPED}
    speaks = event.outcome is Outcome.OK and event.task.module == "debug"
    return verbosity > 0 or speaks or not quiet


def check_lines(event: CheckFinished, width: int | None) -> list[Text]:
    """`  pass  gpu2  git is the one built   expected git 2.39.5, saw git 2.39.5`, or two lines if that is too wide."""
    word, colour = ("pass", style.GOOD) if event.passed else ("fail", style.ERROR)
    line = _worded(word, colour, len("pass"))
    line.append(f"{visible(event.host)}  {visible(str(event.task))}")
    values = f"expected {_on_one_line(event.expected)}, saw {_on_one_line(event.seen)}"
    if width is not None and line.cell_len + cell_len(values) + 3 > width:
        return [line, Text(" " * len("  pass  ") + values, style=style.QUIET)]
    return [line.append(f"   {values}", style=style.QUIET)]


def verified_line(event: Verified) -> Text:
    """Says that checks were not repeated, since when they hold, and how to repeat them."""
    return Text(
        f"  {visible(event.host)}: {counted(event.checks, 'check')} proved at {visible(event.when)},"
        " nothing changed since; run `provision verify` to repeat them",
        style=style.GOOD,
    )


def proved_line(event: Proved) -> Text:
    """`  admin1: proved: nothing left to change (3 commands cannot be proved)`."""
    line = Text(f"  {visible(event.host)}: proved: nothing left to change", style=style.GOOD)
    if event.unprovable:
        line.append(f" ({counted(len(event.unprovable), 'command')} cannot be proved)", style="not green")
    return line


def _worded(word: str, word_style: str, cells: int) -> Text:
    padding = " " * max(cells - cell_len(word), 0)
    return Text.assemble("  ", (word, word_style), f"{padding}  ")


def _on_one_line(text: str) -> str:
    """The first line of a value; says when there is more."""
    first, *rest = text.strip("\r\n").split("\n")
    more = f" ({counted(len(rest), 'more line')})" if rest else ""
    return (shortened(visible(first.removesuffix("\r")), SEEN_LIMIT) or "nothing") + more
