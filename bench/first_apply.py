"""How long the first `provision apply site.yaml` takes beside the tutorial's own steps, on the same lab.

    sudo python bench/first_apply.py [--rounds N]

Both begin with the home of a new account in the real lab (OpenSSH in namespaces; needs root), get the same versions
from one mirror, and end with the test on gpu2. The tutorial is bench/tutorial.sh, run over one ssh session on admin1:
one step after another, `make` as it stands there. The files of the mirror are read once before each, so that neither
pays for the disk. Exit status 1 when the apply takes more than AIM of the tutorial's time.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

from scupi_provision.lab.commands import ssh_command
from scupi_provision.lab.real.control import reset, up
from scupi_provision.lab.real.state import RealLab

AIM = 0.6
"""The first apply's share of the tutorial's time."""

_SHORTEST_SHOWN_S = 0.5


@dataclass(frozen=True)
class Step:
    """Something that took its time, in seconds since the beginning."""

    name: str
    begin_s: float
    end_s: float


@dataclass(frozen=True)
class Measured:
    """One way to the environment: how long it took as a whole, and where the time went."""

    seconds: float
    steps: list[Step]


def tutorial(lab: RealLab) -> Measured:
    """Run the tutorial's steps on admin1."""
    script = Path(__file__).with_name("tutorial.sh").read_text(encoding="utf-8")
    settings = "".join(f"{name}={shlex.quote(value)}\n" for name, value in _settings(lab.variables).items())
    begin = time.time()
    done = subprocess.run(
        [*ssh_command(lab), "sh -s"],
        input=settings + "export TORCH\n" + script,
        capture_output=True,
        text=True,
        check=False,
    )
    seconds = time.time() - begin
    if done.returncode != 0:
        sys.exit(f"the tutorial failed with status {done.returncode}:\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
    return Measured(seconds, tutorial_steps(done.stdout, begin))


def tutorial_steps(output: str, begin: float) -> list[Step]:
    """The steps that the script announced, each ending where the next begins."""
    said = [line.split(maxsplit=2)[1:] for line in output.splitlines() if line.startswith("step ")]
    moments = [(float(moment) - begin, name) for moment, name in said]
    return [Step(name, at, until) for (at, name), (until, _) in pairwise(moments)]


def _settings(variables: dict[str, Any]) -> dict[str, str]:
    """What the tutorial leaves to its reader, as the lab has it."""
    return {
        "INSTALLER": variables["conda_urls"][0],
        "CHANNEL": f"{variables['sources_conda'][0]}/conda-forge",
        "PYTHON": variables["conda_env_python"],
        "TORCH": variables["torch_version"],
        "TORCH_INDEX": f"{variables['sources_torch'][0]}/cpu",
        "GIT": f"{variables['sources_git'][0]}/{variables['git_tarball']}",
    }


def first_apply(lab: RealLab, playbook: str) -> Measured:
    """Apply the playbook, with its proof on gpu2."""
    command = [sys.executable, "-m", "scupi_provision", "apply", playbook, "-i", str(lab.inventory), "--json"]
    begin = time.time()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    seconds = time.time() - begin
    if done.returncode != 0:
        sys.exit(f"apply failed with status {done.returncode}:\n{done.stdout[-3000:]}\n{done.stderr}")
    return Measured(seconds, apply_steps([json.loads(line) for line in done.stdout.splitlines()], begin))


def apply_steps(events: list[dict[str, Any]], begin: float) -> list[Step]:
    """The tasks that took time, by when they began; those that overlap are those that ran beside each other.

    The end of one that ran aside is told late, its beginning and its own time are not.
    """
    steps = []
    began: dict[tuple[str, ...], float] = {}
    for event in events:
        task = event.get("task") or {}
        key = (event.get("host", ""), task.get("role", ""), task.get("name", ""), task.get("item", ""))
        if event["event"] == "TaskStarted":
            began[key] = datetime.fromisoformat(event["time"]).timestamp() - begin
        elif event["event"] == "TaskFinished" and event["seconds"] >= _SHORTEST_SHOWN_S and key in began:
            steps.append(Step(f"{task['role']}: {task['name']}", began[key], began[key] + event["seconds"]))
    return sorted(steps, key=lambda step: step.begin_s)


def report(name: str, measured: Measured) -> str:
    """The steps of one way as lines."""
    lines = [f"{name}: {measured.seconds:.1f} s"]
    lines += [
        f"  {step.begin_s:6.1f} – {step.end_s:6.1f}  {step.end_s - step.begin_s:6.1f} s  {step.name}"
        for step in measured.steps
        if step.end_s - step.begin_s >= _SHORTEST_SHOWN_S
    ]
    return "\n".join(lines)


def _read_all(mirror: Path) -> None:
    """Put the mirror's files into the page cache."""
    for path in mirror.rglob("*"):
        if path.is_file():
            with path.open("rb") as file:
                while file.read(1 << 20):
                    pass


def _in_fresh_lab(directory: Path, work: Any) -> Measured:
    reset(directory=directory)
    lab = up(lambda text: print(f"lab: {text}", file=sys.stderr), directory=directory)
    _read_all(directory / "mirror")
    # Others at work on this machine spoil the comparison: their share should be small, and alike for both.
    print(f"load of this machine before it begins: {os.getloadavg()[0]:.1f}", flush=True)
    try:
        measured: Measured = work(lab)
    finally:
        reset(directory=directory)
    return measured


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=1, help="how often each is run; the medians are compared")
    parser.add_argument("--playbook", default="site.yaml")
    options = parser.parse_args()
    typed, applied = [], []
    with tempfile.TemporaryDirectory(prefix="first-apply-") as scratch:
        directory = Path(scratch, "lab")
        for _ in range(options.rounds):
            typed.append(_in_fresh_lab(directory, tutorial))
            print(report("the tutorial", typed[-1]), flush=True)
            applied.append(_in_fresh_lab(directory, lambda lab: first_apply(lab, options.playbook)))
            print(report(f"provision apply {options.playbook}", applied[-1]), flush=True)
    ratio = statistics.median(m.seconds for m in applied) / statistics.median(m.seconds for m in typed)
    print(f"\nratio {ratio:.2f} (aim: at most {AIM})")
    return 0 if ratio <= AIM else 1


if __name__ == "__main__":
    sys.exit(main())
