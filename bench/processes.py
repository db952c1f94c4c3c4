"""Which programs a converged apply starts on the hosts: none of them python, conda, pip, git or make.

    python bench/processes.py [PLAYBOOK]

The playbook (default: site.yaml) is applied to the lab until there is nothing left to change; then it is applied once
more while `strace` follows the lab's daemon, from which everything on both hosts descends, and notes every successful
execve. That is the kernel's own account, so nothing short-lived is missed. Takes PROVISION_LAB_DIR as `provision lab`
does. Exit status 1 when one of the five was started.
"""

from __future__ import annotations

import argparse
import contextlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from scupi_provision.lab.commands import status

UNWANTED = ("python", "conda", "pip", "git", "make")
"""A converged run reads files instead of asking these."""

_EXECVE = re.compile(r'execve(?:at\([^,]+, |\()"(?P<path>(?:[^"\\]|\\.)*)", .* = 0$')
_ATTACH_S = 20.0


class CannotTraceError(Exception):
    """strace is missing, or the kernel does not let it follow the daemon; says what to do."""


@contextlib.contextmanager
def started_programs(pid: int) -> Iterator[Counter[str]]:
    """Count what `pid` and its descendants start within the `with` block; the counter is filled at its end.

    Names are base names of the programs, scripts by their own name.

    Raises:
        CannotTraceError: Nothing can be counted here.
    """
    strace = shutil.which("strace")
    if strace is None:
        raise CannotTraceError("strace is missing; install it: apt-get install strace, dnf install strace")
    counts: Counter[str] = Counter()
    with tempfile.TemporaryDirectory(prefix="execve-") as scratch:
        said, logs = Path(scratch, "said"), Path(scratch, "log")
        # One log for each process (-ff): in a common one, lines of processes that run at once are cut in two.
        command = [strace, "-ff", "-e", "trace=execve,execveat", "-o", str(logs), "-p", str(pid)]
        with said.open("w") as stderr:
            tracer = subprocess.Popen(command, stderr=stderr, stdin=subprocess.DEVNULL)
        try:
            _wait_until_attached(tracer, said)
            yield counts
        finally:
            tracer.send_signal(signal.SIGINT)  # strace detaches and lets everything run on
            tracer.wait(_ATTACH_S)
        for log in Path(scratch).glob("log.*"):
            lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
            counts.update(program for line in lines if (program := started_program(line)))


def started_program(line: str) -> str:
    """The program that one line of strace's log says was started, or "" (attempts along PATH fail with ENOENT)."""
    found = _EXECVE.match(line)
    return found["path"].rpartition("/")[2] if found else ""


def unwanted(counts: Counter[str]) -> dict[str, int]:
    """How often each of UNWANTED was started, under whatever version's name (python3.11, git-remote-https, gmake)."""
    return {name: sum(n for program, n in counts.items() if _is_kind(program, name)) for name in UNWANTED}


def _is_kind(program: str, name: str) -> bool:
    return re.fullmatch(rf"g?{name}[0-9.]*(-.*)?", program) is not None


def _wait_until_attached(tracer: subprocess.Popen[bytes], said: Path) -> None:
    """Return when strace follows the process; every later child is followed from its first instruction."""
    deadline = time.monotonic() + _ATTACH_S
    while time.monotonic() < deadline and tracer.poll() is None:
        if " attached" in said.read_text(encoding="utf-8"):
            return
        time.sleep(0.02)
    reason = said.read_text(encoding="utf-8").strip()
    raise CannotTraceError(f"strace cannot follow the lab: {reason} (in a container it needs CAP_SYS_PTRACE)")


def _provision(*arguments: str) -> None:
    command = [sys.executable, "-m", "scupi_provision", *arguments]
    done = subprocess.run(command, text=True, capture_output=True, check=False)
    if done.returncode != 0:
        sys.exit(f"provision {' '.join(arguments)}: exit status {done.returncode}\n{done.stdout}{done.stderr}")


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("playbook", nargs="?", default="site.yaml")
    playbook = parser.parse_args().playbook
    print(f"applying {playbook} until there is nothing left to change", file=sys.stderr)
    _provision("apply", playbook, "--lab")
    pid = status().pid
    if pid is None:
        sys.exit("the lab is not up")
    try:
        with started_programs(pid) as counts:
            _provision("apply", playbook, "--lab")
    except CannotTraceError as error:
        sys.exit(str(error))
    print(f"programs started on admin1 and gpu2 by a converged apply of {playbook}:\n")
    for program, count in counts.most_common():
        print(f"  {count:5}  {program}")
    found = unwanted(counts)
    print("\n" + ", ".join(f"{name} {count}" for name, count in found.items()))
    return 1 if any(found.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
