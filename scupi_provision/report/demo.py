"""A run that never happened, to look at the reporter: `python -m scupi_provision.report.demo`."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator

from scupi_provision.errors import Diagnostic, Position
from scupi_provision.events import (
    CheckFinished,
    Diff,
    Event,
    HostConnected,
    HostSummary,
    Notice,
    Outcome,
    PlayStarted,
    Proved,
    RunFinished,
    RunStarted,
    TaskFinished,
    TaskLabel,
    TaskProgress,
    TaskStarted,
)
from scupi_provision.report.opening import make_reporter

_BUILD = TaskLabel("build git 2.39.5", "source_build", "git", where=Position("roles/git/tasks/main.yml", 3, 3))
_TORCH = TaskLabel("install torch", "pip", "torch", where=Position("roles/torch/tasks/main.yml", 8, 3))
_PATH = TaskLabel("one guarded block in ~/.bashrc", "blockinfile", "shell_env")
_BASHRC = "# .bashrc\nexport EDITOR=vim\n"
_BLOCK = (
    "# >>> provision >>>\n[ -r ~/.provision/current/env.sh ] && . ~/.provision/current/env.sh\n# <<< provision <<<\n"
)
_PHASES = (
    ("configure", 3.0, "checking for gcc... gcc"),
    ("make", 14.0, "    CC builtin/add.o"),
    ("make", 52.0, "    CC pack-objects.o"),
    ("install", 108.0, "install -d -m 755 libexec/git-core"),
)


def demo_events(*, fails: bool) -> Iterator[Event]:
    """An apply on admin1 with its verification on gpu2; with `fails`, a build and a check that fail."""
    yield RunStarted(
        "apply",
        "playbooks/site.yaml",
        ("admin1", "gpu2"),
        ("no GPU in the lab: GPU checks run torch on the CPU", "the mirror on loopback serves git and the wheels"),
    )
    yield HostConnected("admin1", "127.0.0.1:7092", (), 0.31)
    yield HostConnected("gpu2", "10.0.0.2:22", ("admin1",), 0.54)
    yield PlayStarted("the environment of every account", ("admin1",))
    yield TaskFinished("admin1", TaskLabel("home is writable", "assert"), Outcome.OK)
    diff = Diff("~/.bashrc", _BASHRC, _BASHRC + _BLOCK, "add a block of 3 lines")
    yield TaskFinished("admin1", _PATH, Outcome.CHANGED, diffs=(diff,))
    yield from _build(fails=fails)
    if not fails:
        yield from _install_torch()
        yield Proved("admin1", unprovable=(TaskLabel("warm the font cache", "command"),))
    yield PlayStarted("the environment of every account", ("gpu2",), "verify")
    yield from _checks(fails=fails)
    yield from _closing(fails=fails)


def _build(*, fails: bool) -> Iterator[Event]:
    yield TaskStarted("admin1", _BUILD)
    for phase, elapsed_s, last_line in _PHASES:
        yield TaskProgress("admin1", _BUILD, phase, elapsed_s, last_line)
    diffs = (Diff("~/.provision/store/git-2.39.5-1f00c3d2", summary="build git 2.39.5"),)
    if not fails:
        yield TaskFinished("admin1", _BUILD, Outcome.CHANGED, diffs=diffs, seconds=112.0)
        return
    yield TaskFinished(
        "admin1",
        _BUILD,
        Outcome.FAILED,
        message="make -j2 exited with status 2",
        output="    CC http.o\n\x1b[31mhttp.c:5:10: fatal error: curl/curl.h: missing\x1b[0m\nmake: *** [http.o] Error",
        log="~/.provision/jobs/1f00c3d2/log",
        seconds=61.0,
        error=Diagnostic(
            "curl/curl.h is missing",
            Position("roles/git/tasks/main.yml", 7, 9),
            "        configure: [--with-curl]",
            hint="leave --with-curl out, or build curl first with the role `curl`",
        ),
    )


def _install_torch() -> Iterator[Event]:
    yield TaskStarted("admin1", _TORCH)
    yield TaskProgress("admin1", _TORCH, "download", 9.0, "torch-2.5.1\r 10%\r 62% of 174.7 MB")
    yield TaskProgress("admin1", _TORCH, "install", 31.0, "Installing collected packages: numpy, torch")
    yield TaskFinished("admin1", _TORCH, Outcome.CHANGED, seconds=44.0)


def _checks(*, fails: bool) -> Iterator[Event]:
    git = TaskLabel(
        "git in a fresh login shell is the one built", "expect", where=Position("roles/git/verify/main.yml", 2, 3)
    )
    seen = "git version 1.8.3.1" if fails else "git version 2.39.5"
    yield CheckFinished("gpu2", git, not fails, "git version 2.39.5", seen)
    product = TaskLabel("torch multiplies two matrices", "expect")
    yield CheckFinished("gpu2", product, True, "a relative error below 1e-5", "3.1e-7")  # noqa: FBT003 - `passed`
    yield Notice("no GPU: the product was computed on the CPU", "gpu2")


def _closing(*, fails: bool) -> Iterator[Event]:
    done = {Outcome.FAILED: 1} if fails else {Outcome.CHANGED: 2}
    yield HostSummary("admin1", {Outcome.OK: 1, Outcome.CHANGED: 1, **done}, 0, 0, 3, 158.2)
    yield HostSummary("gpu2", {}, 1 if fails else 2, 1 if fails else 0, 2, 6.4)
    yield RunFinished("apply", 1 if fails else 0, 165.0)


def main() -> None:
    """Play the stream; `--pause 0` plays it at once."""
    parser = argparse.ArgumentParser(prog="python -m scupi_provision.report.demo", description=__doc__)
    parser.add_argument("--json", action="store_true", help="the event stream, one JSON object a line")
    parser.add_argument("--diff", action="store_true", help="show the text of each change")
    parser.add_argument("--fails", action="store_true", help="a run in which a build and a check fail")
    parser.add_argument("--verbose", action="store_true", help="show tasks that were ok, too")
    parser.add_argument("--pause", type=float, default=0.6, metavar="S", help="seconds between two events")
    options = parser.parse_args()
    reporter = make_reporter(
        "json" if options.json else "console",
        diff=options.diff,
        verbosity=int(options.verbose),
        stdout=sys.stdout,
        stderr=sys.stderr,
    )
    try:
        for event in demo_events(fails=options.fails):
            reporter.handle(event)
            time.sleep(options.pause)
    finally:
        reporter.close()


if __name__ == "__main__":
    main()
