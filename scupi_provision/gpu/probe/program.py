"""The command line of the probe, and the order in which things are looked at. One line of JSON in any case."""

from __future__ import annotations

import argparse
import json
import platform
import sys
import time
from typing import Any

from . import counting, device, together
from .processes import Processes, be_a_part, tell
from .proof import Proof

SCHEMA = 1
"""Of the report; docs/gpu.md describes it."""


def main(arguments: list[str] | None = None) -> int:
    """Run the probe, or one of its parts; the exit status: 0 without a problem, 1 with one."""
    options = _parser().parse_args(arguments)
    if options.part:
        return _part(options)
    report: dict[str, Any] = {
        "schema": SCHEMA,
        "host": platform.node(),
        "date": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "python": platform.python_version(),
        "executable": sys.executable,
    }
    with Processes(options.limit) as processes:
        report.update(Proof(processes, options).report())
    sys.stdout.write(json.dumps(report) + "\n")
    if not report["problem"]:
        return 0
    advice = [f"{finding['what']}; {finding['fix']}" for finding in report["findings"]]
    sys.stderr.write("\n".join([f"{report['problem']}", *advice]) + "\n")
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="gpu_probe",
        description="Look at the GPUs of this machine, compute on a free one with torch, report as JSON.",
    )
    parser.add_argument("--limit", type=float, default=120.0, metavar="SECONDS", help="give up after this long")
    parser.add_argument("--size", type=int, default=1024, metavar="N", help="edge of the matrices (default 1024)")
    parser.add_argument("--allow-cpu", metavar="REASON", help="use the CPU where there is no GPU; says why")
    parser.add_argument("--bench", action="store_true", help="time large products and copies too")
    parser.add_argument("--all", action="store_true", help="every free GPU, not only the best one")
    parser.add_argument("--share", action="store_true", help="with --bench: also a GPU that others are using")
    parser.add_argument("--all-reduce", action="store_true", help="add up over all free GPUs (on the CPU: 2 processes)")
    parser.add_argument("--inventory", action="store_true", help="only look; torch is not started")
    parser.add_argument("--explain", metavar="TEXT", help="only say what is behind an error text, on this machine")
    parser.add_argument("--json", action="store_true", help="accepted; the report is JSON in any case")
    for name in ("part", "backend", "meeting"):
        parser.add_argument(f"--{name}", help=argparse.SUPPRESS)
    for name in ("parent", "rank", "world"):
        parser.add_argument(f"--{name}", type=int, default=0, help=argparse.SUPPRESS)
    return parser


def _part(options: argparse.Namespace) -> int:
    be_a_part(options.parent, options.limit)
    if options.part == "count":
        nvml = counting.ask_nvml()
        tell({"nvml": nvml, "cuda": {"problem": "CUDA does not answer"}})
        tell({"nvml": nvml, "cuda": counting.ask_cuda()})
    elif options.part == "device":
        device.examine(tell, size=options.size, cpu_reason=options.allow_cpu, bench=options.bench)
    else:
        together.take_part(tell, options.rank, options.world, options.backend, options.meeting, options.limit)
    return 0
