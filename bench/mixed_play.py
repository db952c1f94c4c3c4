"""What a check costs the controller: processor time for mixed plays of 100, 1,000 and 3,000 tasks.

    python bench/mixed_play.py [--runs N] [TASKS …]

The plays use file, debug in a loop with a condition, set_fact, copy with a handler, and lineinfile in a block, on
values that are known at plan time. Each is checked over a local connection in an empty home. The start-up (Python, the
imports, one look at the host) is what a play of five tasks takes; it is subtracted. All figures are medians.

Exit status 1 when a check of 1,000 tasks takes `MOST_CPU_S` or more after the start-up, or `--help` `MOST_HELP_S`.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

MOST_CPU_S = 1.0
MOST_HELP_S = 0.2
SIZES = (100, 1000, 3000)
_STARTUP_TASKS = 5
_HEAD = """\
- name: {tasks} mixed tasks
  hosts: all
  gather_facts: false
  vars: {{names: [a, b, c]}}
  handlers:
    - name: Told
      debug: {{msg: told}}
  tasks:
"""
_KINDS = (
    """\
    - name: Directory {number}
      file: {{path: ~/directory{number}, state: directory, mode: "0750"}}
      register: made
""",
    """\
    - name: Say {number}
      debug: {{msg: "{{{{ made.changed }}}} {{{{ item }}}}"}}
      loop: "{{{{ names }}}}"
      when: made is defined and item != 'b'
""",
    """\
    - name: Fact {number}
      set_fact: {{number: "{{{{ {number} + 1 }}}}"}}
""",
    """\
    - name: Text {number}
      copy: {{dest: ~/text{number}, content: "number {{{{ number }}}}"}}
      notify: Told
""",
    """\
    - name: Block {number}
      block:
        - name: Line {number}
          lineinfile: {{path: ~/line{number}, line: "n={{{{ number }}}}", create: true}}
          when: number | int > 0
""",
)


def mixed_play(tasks: int) -> str:
    """The text of a playbook of `tasks` tasks."""
    return _HEAD.format(tasks=tasks) + "".join(_KINDS[number % 5].format(number=number) for number in range(tasks))


def run(arguments: list[str], home: Path) -> str:
    """What one run of `provision` says; the program ends where it fails."""
    command = [sys.executable, "-m", "scupi_provision", *arguments]
    environment = {**os.environ, "HOME": str(home)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if done.returncode != 0:
        sys.exit(f"provision failed (exit {done.returncode}):\n{done.stdout[-2000:]}{done.stderr}")
    return done.stdout


def cpu_of(arguments: list[str], home: Path) -> float:
    """Processor time of one run of `provision`, in seconds."""
    before = _cpu_of_children()
    run(arguments, home)
    return _cpu_of_children() - before


def round_trips(tasks: int, home: Path) -> list[int]:
    """How many round trips a check, an apply and a converged apply of `tasks` tasks take in the empty `home`."""
    arguments = _site(tasks, home)
    said = [run([verb, *arguments, "--json"], home) for verb in ("check", "apply", "apply")]
    events = [json.loads(line) for text in said for line in text.splitlines()]
    return [event["round_trips"] for event in events if event["event"] == "HostSummary"]


def _site(tasks: int, home: Path) -> list[str]:
    playbook, inventory = home / f"mixed-{tasks}.yaml", home / "inventory"
    playbook.write_text(mixed_play(tasks), encoding="utf-8")
    inventory.write_text("localhost ansible_connection=local\n", encoding="utf-8")
    return [str(playbook), "-i", str(inventory)]


def _cpu_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def measure(sizes: tuple[int, ...], runs: int) -> dict[str, float]:
    """Median processor seconds: of `--help`, of the start-up, and of a check of each size without the start-up."""
    with tempfile.TemporaryDirectory(prefix="provision-bench-") as scratch:
        home = Path(scratch)

        def check(tasks: int) -> float:
            return _median(["check", *_site(tasks, home)], home, runs)

        figures = {"--help": _median(["--help"], home, runs), "start-up": check(_STARTUP_TASKS)}
        return figures | {f"{tasks:,} tasks": check(tasks) - figures["start-up"] for tasks in sizes}


def _median(arguments: list[str], home: Path, runs: int) -> float:
    return statistics.median(cpu_of(arguments, home) for _ in range(runs))


def verdict(figures: dict[str, float]) -> str:
    """What is slower than is promised, or ""."""
    bounds = {"--help": MOST_HELP_S, "1,000 tasks": MOST_CPU_S}
    slow = [f"{name}: {figures[name]:.2f} s" for name, most in bounds.items() if figures.get(name, 0.0) >= most]
    return ", ".join(slow)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("tasks", nargs="*", type=int, default=SIZES, metavar="TASKS", help="sizes of the playbooks")
    parser.add_argument("--runs", type=int, default=5, help="runs of each, for the median (default: 5)")
    options = parser.parse_args()
    figures = measure(tuple(options.tasks), options.runs)
    print("processor seconds of the controller; sizes without the start-up\n")
    print("\n".join(f"{name:12}{seconds:6.2f}" for name, seconds in figures.items()))
    slow = verdict(figures)
    print(f"\nFAILED: {slow}" if slow else "\nas promised")
    return 1 if slow else 0


if __name__ == "__main__":
    sys.exit(main())
