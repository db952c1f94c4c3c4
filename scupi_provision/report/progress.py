"""Long tasks while they run: a live region on a terminal, a line now and then everywhere else."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from rich.console import Console, ConsoleOptions, RenderResult
from rich.live import Live
from rich.spinner import Spinner
from rich.text import Text

from scupi_provision.events import TaskLabel, TaskProgress
from scupi_provision.report import style
from scupi_provision.report.lines import running_line
from scupi_provision.report.visible import shortened, visible
from scupi_provision.report.wording import duration

PLAIN_INTERVAL_S = 30.0
"""Seconds between two lines about the same phase where there is no live region."""
_DRAWN: set[LiveProgress] = set()
"""The regions that are on the terminal now: whoever asks a person something has to get them out of the way."""
_LAST_LINE_LIMIT = 160
_REFRESHES_PER_SECOND = 8


class Progress(Protocol):
    """Follows tasks from start to end. Ending a task that never started is fine."""

    def start(self, host: str, task: TaskLabel) -> None:
        """The task begins."""

    def update(self, event: TaskProgress) -> None:
        """The task is alive; it MAY never have been started."""

    def end(self, host: str, task: TaskLabel) -> None:
        """The task is over."""

    def drop(self, host: str) -> None:
        """All tasks of `host` are over."""

    def paused(self) -> contextlib.AbstractContextManager[None]:
        """Within it, another stream may write to the same terminal."""

    def close(self) -> None:
        """Give the terminal back."""


class PlainProgress:
    """One line at the first sign of a long task, at each new phase, and every 30 s of its own time.

    A start alone prints nothing: most tasks end at once, and their closing line says it all.
    """

    def __init__(self, console: Console, word_cells: int) -> None:
        self._console = console
        self._word_cells = word_cells
        self._told: dict[tuple[str, TaskLabel], tuple[str, float]] = {}

    def start(self, host: str, task: TaskLabel) -> None:
        """Forget an earlier run of the same task (a retry tells its phases again)."""
        self._told.pop((host, task), None)

    def update(self, event: TaskProgress) -> None:
        """Print a line when there is something new to tell."""
        key = (event.host, event.task)
        phase, told_at = self._told.get(key, (None, 0.0))
        if phase == event.phase and event.elapsed_s - told_at < PLAIN_INTERVAL_S:
            return
        self._told[key] = (event.phase, event.elapsed_s)
        state = ", ".join(filter(None, (visible(event.phase), duration(event.elapsed_s))))
        last = latest(event.last_line)
        line = running_line(event.host, event.task, f"{state}: {last}" if last else state, self._word_cells)
        self._console.print(line, soft_wrap=True)

    def end(self, host: str, task: TaskLabel) -> None:
        """Forget the task."""
        self._told.pop((host, task), None)

    def drop(self, host: str) -> None:
        """Forget the host."""
        self._told = {key: told for key, told in self._told.items() if key[0] != host}

    def paused(self) -> contextlib.AbstractContextManager[None]:
        """Nothing is drawn that could be in the way."""
        return contextlib.nullcontext()

    def close(self) -> None:
        """Nothing is held."""


@dataclass(frozen=True)
class _Running:
    phase: str
    last_line: str
    elapsed_s: float
    seen_at: float


class LiveProgress:
    """A region at the bottom of the terminal with one line per running task, redrawn several times a second.

    The region is redrawn by a thread of rich, so the mapping of running tasks is replaced, never changed in place.
    """

    def __init__(self, console: Console, clock: Callable[[], float] = time.monotonic) -> None:
        self._console = console
        self._clock = clock
        self._running: dict[tuple[str, TaskLabel], _Running] = {}
        self._spinner = Spinner("dots" if console.encoding.startswith("utf") else "line")
        self._live: Live | None = None

    def start(self, host: str, task: TaskLabel) -> None:
        """Show the task, and the region with the first one."""
        self._show(host, task, _Running("", "", 0.0, self._clock()))

    def update(self, event: TaskProgress) -> None:
        """Show its phase and last line; its clock goes on between updates."""
        running = _Running(event.phase, event.last_line, event.elapsed_s, self._clock())
        self._show(event.host, event.task, running)

    def end(self, host: str, task: TaskLabel) -> None:
        """Take its line away."""
        self._running = {key: value for key, value in self._running.items() if key != (host, task)}

    def drop(self, host: str) -> None:
        """Take all lines of the host away."""
        self._running = {key: value for key, value in self._running.items() if key[0] != host}

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        """Erase the region, and draw it again afterwards."""
        if self._live is None:
            yield
            return
        self._erase()
        try:
            yield
        finally:
            self._draw()

    def close(self) -> None:
        """Erase the region and show the cursor again."""
        self._running = {}
        self._erase()

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        frame = self._spinner.render(console.get_time())
        for (host, task), running in self._running.items():
            yield self._line(frame, host, task, running, options.max_width)

    def _show(self, host: str, task: TaskLabel, running: _Running) -> None:
        self._running = {**self._running, (host, task): running}
        if self._live is None:
            self._draw()

    def _draw(self) -> None:
        """Begin a region below what is on the screen; a `Live` that was stopped would overwrite lines above it."""
        self._live = Live(
            self,
            console=self._console,
            transient=True,
            refresh_per_second=_REFRESHES_PER_SECOND,
            # rich would interpret the escape sequences of what passes through; our streams pause instead
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._live.start(refresh=True)
        _DRAWN.add(self)

    def _erase(self) -> None:
        _DRAWN.discard(self)
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _line(self, frame: object, host: str, task: TaskLabel, running: _Running, width: int) -> Text:
        elapsed = running.elapsed_s + max(self._clock() - running.seen_at, 0.0)
        spinner = frame.plain if isinstance(frame, Text) else "*"
        line = Text.assemble((f"{spinner} ", style.HINT), f"{visible(host)}  {visible(str(task))}", no_wrap=True)
        if running.phase:
            line.append(f"  {visible(running.phase)}", style=style.HEADING)
        line.append(f"  {duration(float(int(elapsed)))}")
        last = latest(running.last_line)
        if last:
            line.append(f"  {last}", style=style.QUIET)
        line.truncate(width, overflow="crop")
        return line


@contextlib.contextmanager
def all_paused() -> Iterator[None]:
    """Within it, nothing is drawn, and a person can be asked."""
    with contextlib.ExitStack() as stack:
        for region in tuple(_DRAWN):
            stack.enter_context(region.paused())
        yield


def latest(output_line: str) -> str:
    """What a terminal would show of a line that rewrites itself with carriage returns, made visible and cut."""
    states = [state for state in output_line.rstrip("\r\n").split("\r") if state.strip()]
    return shortened(visible(states[-1].strip()), _LAST_LINE_LIMIT) if states else ""
