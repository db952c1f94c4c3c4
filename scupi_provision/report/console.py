"""The reporter for people: what happened goes to stdout, what is wrong to stderr."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rich.console import Console
from rich.text import Text

from scupi_provision.errors import Diagnostic
from scupi_provision.events import (
    CheckFinished,
    Event,
    HostConnected,
    HostUnreachable,
    Notice,
    Outcome,
    PlayStarted,
    Proved,
    RunFinished,
    RunStarted,
    TaskFinished,
    TaskProgress,
    TaskStarted,
    Verified,
)
from scupi_provision.report import lines, problems
from scupi_provision.report.diffs import render_diff
from scupi_provision.report.progress import LiveProgress, PlainProgress, Progress
from scupi_provision.report.style import OUTCOME_WORDS, QUIET, is_animated
from scupi_provision.report.summary import summary_table
from scupi_provision.report.tally import RunTally
from scupi_provision.report.verdict import verdict
from scupi_provision.report.visible import visible_lines
from scupi_provision.report.wording import duration

_WORD_CELLS = len(OUTCOME_WORDS[Outcome.CHANGED])
_MESSAGE_INDENT = " " * 6


class ConsoleReporter:
    """Shows a run on two consoles, which may be the same terminal.

    Args:
        out: What happened: headings, tasks, checks, the closing table.
        err: What is wrong: failures with their causes, warnings, a closing sentence that is not good news.
        diff: Show the text of each change.
        verbosity: From 1 on, tasks that were ok or skipped have their line too. They are counted in any case.
        animated: Draw a live region for running tasks; None decides from `out`.
    """

    def __init__(
        self, out: Console, err: Console, *, diff: bool = False, verbosity: int = 0, animated: bool | None = None
    ) -> None:
        self._out = out
        self._err = err
        self._diff = diff
        self._verbosity = verbosity
        self._tally = RunTally()
        self._explained: list[Diagnostic] = []
        live = is_animated(out) if animated is None else animated
        self._progress: Progress = LiveProgress(out) if live else PlainProgress(out, _WORD_CELLS)
        self._views = {
            RunStarted: self._run_started,
            Notice: self._notice,
            HostConnected: self._host_connected,
            HostUnreachable: self._host_unreachable,
            PlayStarted: self._play_started,
            TaskStarted: self._task_started,
            TaskProgress: self._task_progress,
            TaskFinished: self._task_finished,
            CheckFinished: self._check_finished,
            Verified: self._verified,
            Proved: self._proved,
            RunFinished: self._run_finished,
        }

    def handle(self, event: Event) -> None:
        """Show `event`. HostSummary is only counted: its numbers appear in the closing table."""
        self._tally.note(event)
        view: Any = self._views.get(type(event))  # each view takes exactly the event it is listed under
        if view is not None:
            view(event)

    def close(self) -> None:
        """Erase the live region and show the cursor again."""
        self._progress.close()

    def _say(self, texts: Iterable[Text]) -> None:
        for text in texts:
            self._out.print(text, soft_wrap=True)

    def _complain(self, texts: Iterable[Text]) -> None:
        with self._progress.paused():
            for text in texts:
                self._err.print(text, soft_wrap=True)

    def _run_started(self, event: RunStarted) -> None:
        self._say(lines.header_lines(event))

    def _notice(self, event: Notice) -> None:
        if event.level == "warning":
            self._complain(problems.warning_lines(event))
        else:
            self._say(lines.note_lines(event))

    def _host_connected(self, event: HostConnected) -> None:
        self._say([lines.connected_line(event)])

    def _host_unreachable(self, event: HostUnreachable) -> None:
        """Hosts behind the same login node drop out for one reason, which is explained once."""
        self._progress.drop(event.host)
        known = event.error in self._explained
        self._explained.append(event.error)
        self._complain(problems.unreachable_lines(event, self._err.width, explained=known))

    def _play_started(self, event: PlayStarted) -> None:
        self._say([Text(), lines.play_heading(event)])

    def _task_started(self, event: TaskStarted) -> None:
        self._progress.start(event.host, event.task)

    def _task_progress(self, event: TaskProgress) -> None:
        self._progress.update(event)

    def _task_finished(self, event: TaskFinished) -> None:
        self._progress.end(event.host, event.task)
        if not lines.is_shown(event, self._verbosity):
            return
        self._say([lines.task_line(event, self._word_cells)])
        if event.outcome is Outcome.FAILED:
            self._complain(problems.failed_task_lines(event, self._err.width))
        else:
            explanation = event.message or (event.error.summary if event.error else "")
            self._say(Text(_MESSAGE_INDENT + line, style=QUIET) for line in visible_lines(explanation))
        if self._diff:
            for diff in event.diffs:
                self._say(render_diff(diff))

    def _check_finished(self, event: CheckFinished) -> None:
        self._say(lines.check_lines(event, self._out.width if self._out.is_terminal else None))
        if not event.passed:
            self._complain(problems.failed_check_lines(event, self._err.width))

    def _verified(self, event: Verified) -> None:
        self._say([lines.verified_line(event)])

    def _proved(self, event: Proved) -> None:
        if event.remaining:
            self._complain(problems.unproved_lines(event))
        else:
            self._say([lines.proved_line(event)])

    def _run_finished(self, event: RunFinished) -> None:
        self._progress.close()
        self._say([Text(), *summary_table(self._tally), Text()])
        closing = verdict(self._tally, event)
        took = f" ({duration(event.seconds)})"
        if closing.is_good:
            self._say([Text.assemble((closing.text, "bold green"), (took, QUIET))])
        else:
            self._complain([Text.assemble((closing.text, "bold red"), (took, QUIET))])

    @property
    def _word_cells(self) -> int:
        """Cells of the outcome column: `check` has a longer word in it."""
        return len(OUTCOME_WORDS[Outcome.WOULD_CHANGE]) if self._tally.verb == "check" else _WORD_CELLS
