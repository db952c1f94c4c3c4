"""Long tasks while they run."""

import io

import pytest
from scupi_provision.events import Notice, Outcome, TaskFinished, TaskLabel, TaskProgress, TaskStarted
from scupi_provision.report.progress import LiveProgress, latest
from scupi_provision.report.style import is_animated, open_console

BUILD = TaskLabel("build git", "source_build", "git")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def alive(phase: str, elapsed_s: float, last_line: str = "") -> TaskProgress:
    return TaskProgress("admin1", BUILD, phase, elapsed_s, last_line)


def test_without_a_terminal_a_long_task_speaks_at_its_start_at_new_phases_and_every_30_s(show) -> None:
    shown = show(
        TaskStarted("admin1", BUILD),
        alive("configure", 2, "checking for gcc"),
        alive("configure", 12),
        alive("make", 14),
        alive("make", 43.9),
        alive("make", 44.1, "CC a.o"),
        alive("make", 60),
        TaskFinished("admin1", BUILD, Outcome.CHANGED, seconds=61),
    )
    assert shown.out == (
        "  running  git : build git   admin1   configure, 2.0s: checking for gcc\n"
        "  running  git : build git   admin1   make, 14s\n"
        "  running  git : build git   admin1   make, 44s: CC a.o\n"
        "  changed  git : build git   admin1   (1m 01s)\n"
    )


def test_a_task_that_ends_at_once_has_one_line(show) -> None:
    shown = show(TaskStarted("admin1", BUILD), TaskFinished("admin1", BUILD, Outcome.CHANGED))
    assert shown.out == "  changed  git : build git   admin1\n"


def test_two_hosts_are_followed_apart(show) -> None:
    other = TaskProgress("other", BUILD, "make", 2, "")
    assert show(alive("make", 1), other, alive("make", 3)).out.count("running") == 2


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("plain\n", "plain"),
        ("  10%\r  50%\r", "50%"),
        ("\r\n", ""),
        ("a\tb", "a\\tb"),
        ("x" * 500, "x" * 157 + "..."),
    ],
)
def test_a_line_that_rewrites_itself_shows_its_latest_state(line: str, shown: str) -> None:
    assert latest(line) == shown


def test_a_live_line_has_host_task_phase_time_and_output_and_never_wraps(console) -> None:
    recorder = console(50, terminal=True)
    progress = LiveProgress(recorder, clock=lambda: 100.0)
    progress.update(alive("make", 112, "CC " + "x" * 300))
    lines = ["".join(segment.text for segment in line) for line in recorder.render_lines(progress)]
    progress.close()
    assert [line[1:] for line in lines] == [" admin1  git : build git  make  1m 52s  CC xxxxxx"]


def test_the_clock_of_a_live_line_runs_between_events(console) -> None:
    now = [0.0]
    progress = LiveProgress(recorder := console(80, terminal=True), clock=lambda: now[0])
    progress.update(alive("make", 100))
    now[0] = 25.0
    recorder.print(progress)
    progress.close()
    assert "2m 05s" in recorder.file.getvalue()


def test_the_cursor_comes_back_however_a_run_ends(console) -> None:
    recorder = console(80, terminal=True)
    progress = LiveProgress(recorder)
    progress.start("admin1", BUILD)
    progress.close()
    progress.close()
    text = recorder.file.getvalue()
    assert text.count("\x1b[?25l") == text.count("\x1b[?25h") == 1
    assert text.rindex("\x1b[?25h") > text.rindex("\x1b[?25l")


def test_the_live_region_is_gone_while_stderr_speaks(console) -> None:
    recorder = console(80, terminal=True)
    progress = LiveProgress(recorder)
    progress.start("admin1", BUILD)
    with progress.paused():
        assert recorder.file.getvalue().rindex("\x1b[?25h") > recorder.file.getvalue().rindex("\x1b[?25l")
    assert recorder.file.getvalue().rindex("\x1b[?25l") > recorder.file.getvalue().rindex("\x1b[?25h")
    progress.close()


def test_what_was_said_in_a_pause_is_not_overwritten(console) -> None:
    """Regression: a region of two lines, drawn again, moved up into the warning and erased it."""
    recorder = console(80, terminal=True)
    progress = LiveProgress(recorder)
    progress.start("admin1", BUILD)
    progress.start("gpu2", BUILD)
    with progress.paused():
        recorder.file.write("warning\n")
    after = recorder.file.getvalue().split("warning\n")[1]
    progress.close()
    assert "\x1b[1A" not in after.split("build git")[0]
    assert "gpu2" in after


def test_a_host_that_drops_out_takes_its_lines_along(console) -> None:
    recorder = console(80, terminal=True)
    progress = LiveProgress(recorder)
    progress.start("admin1", BUILD)
    progress.start("gpu2", BUILD)
    progress.drop("admin1")
    progress.end("gpu2", TaskLabel("never started", "copy"))
    lines = recorder.render_lines(progress)
    progress.close()
    assert ["gpu2" in "".join(segment.text for segment in line) for line in lines] == [True]


def test_a_terminal_is_animated_and_coloured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    console = open_console(Terminal())
    console.print("x", style="bold red")
    assert is_animated(console)
    assert "\x1b[" in console.file.getvalue()


@pytest.mark.parametrize(("variable", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_no_color_and_dumb_terminals_get_no_control_sequence(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv(variable, value)
    console = open_console(Terminal())
    console.print("x", style="bold red underline")
    assert not is_animated(console)
    assert console.file.getvalue() == "x\n"


def test_a_file_is_never_animated_even_when_colour_is_forced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert not is_animated(open_console(io.StringIO()))


def test_notices_pass_a_live_region_unharmed(show) -> None:
    shown = show(TaskStarted("admin1", BUILD), Notice("hello"), terminal=True, animated=True)
    assert "note: hello\n" in shown.out
