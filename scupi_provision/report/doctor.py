"""A diagnosis as people read it: a heading for each hop, a line for each finding, and below it what to do."""

from __future__ import annotations

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from scupi_provision.host.finding import Finding, Remedy, State
from scupi_provision.report import style
from scupi_provision.report.visible import visible
from scupi_provision.report.wording import counted

_STYLES = {
    State.OK: style.GOOD,
    State.NOTE: style.HINT,
    State.WARNING: style.WARNING,
    State.PROBLEM: style.ERROR,
    State.UNSEEN: style.QUIET,
}
_STATE_CELLS = max(len(state.value) for state in State) + 2
_CHECK_CELLS = 17


class FindingsPrinter:
    """Prints findings one by one, and remembers them for the last line."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._hop = ""
        self._counts = dict.fromkeys(State, 0)

    def show(self, told: Finding | Remedy) -> None:
        """One more; a heading goes ahead when it is about another hop than the one before."""
        if isinstance(told, Finding):
            self._finding(told)
            return
        self._console.print()
        self._console.print(Text(visible(told.title), style=style.HINT), soft_wrap=True)
        for line in told.lines:
            self._console.print(Text(f"    {visible(line)}"), soft_wrap=True)

    def _finding(self, found: Finding) -> None:
        if found.hop != self._hop:
            if self._hop:
                self._console.print()
            self._console.print(Text(visible(found.hop), style=style.HEADING))
            self._hop = found.hop
        self._counts[found.state] += 1
        quiet = style.QUIET if found.state is State.UNSEEN else ""
        line = Text.assemble(
            "  ",
            (_padded(found.state.value, _STATE_CELLS), _STYLES[found.state]),
            (_padded(visible(found.check), _CHECK_CELLS), quiet),
            (visible(found.what), quiet),
        )
        self._console.print(line, soft_wrap=True)
        if found.fix:
            indent = " " * (2 + _STATE_CELLS)
            self._console.print(Text.assemble(indent, ("fix: ", style.HINT), visible(found.fix)), soft_wrap=True)

    def end(self) -> None:
        """The last line: how many of each kind."""
        if not self._hop:
            return
        bad = [
            counted(self._counts[state], state.value)
            for state in (State.PROBLEM, State.WARNING, State.NOTE)
            if self._counts[state]
        ]
        if self._counts[State.UNSEEN]:
            bad.append(f"{self._counts[State.UNSEEN]} not seen")
        told = counted(sum(self._counts.values()), "check")
        self._console.print()
        if self._counts[State.PROBLEM] or self._counts[State.WARNING]:
            worst = State.PROBLEM if self._counts[State.PROBLEM] else State.WARNING
            self._console.print(Text(f"{told}: {', '.join(bad)}", style=_STYLES[worst]))
        else:
            self._console.print(Text(f"{told}: {', '.join(['all is well', *bad])}", style=style.GOOD))


def _padded(text: str, cells: int) -> str:
    return text + " " * max(cells - cell_len(text), 1)
