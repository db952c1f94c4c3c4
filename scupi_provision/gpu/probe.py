"""Multiply two matrices with torch on this machine and say, in one line of JSON, what did it and how well.

A program of its own: it is copied to the GPU node and run there by the environment's python, so it needs nothing but
the standard library (Python 3.7 and later) and torch. Exit status: 0 without a problem, 1 with one; both print the
report.
"""

from __future__ import annotations

import argparse
import faulthandler
import json
import math
import platform
import sys
import time
from typing import Any

_REPEATS = 3
TOLERANCE = 1e-3
"""Largest accepted error of one element. Honest float32 sums of 1024 products of numbers in [-1, 1) stay near 1e-4;
a product in TensorFloat-32 is off by 1e-2."""

_SPOTS = ((0, 0), (1, -1), (-1, 1), (-1, -1))


def main(arguments: list[str] | None = None) -> int:
    """Run the probe; the exit status."""
    options = _parser().parse_args(arguments)
    # A dead GPU hangs inside the driver, where no exception arrives: the watchdog ends the process.
    faulthandler.dump_traceback_later(options.limit, exit=True)
    report: dict[str, Any] = {"host": platform.node(), "python": platform.python_version()}
    report.update(dict.fromkeys(("torch", "build", "device", "device_name", "agreement", "problem")))
    try:
        _measure(report, options)
    except Exception as error:  # noqa: BLE001 - whatever torch raises is the finding
        report["problem"] = f"{type(error).__name__}: {error}".splitlines()[0]
    faulthandler.cancel_dump_traceback_later()
    sys.stdout.write(json.dumps(report) + "\n")
    return 1 if report["problem"] else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="multiply two matrices with torch and report as JSON")
    parser.add_argument("--size", type=int, default=1024, metavar="N", help="edge of the matrices (default 1024)")
    parser.add_argument("--limit", type=float, default=120.0, metavar="SECONDS", help="give up after this long")
    parser.add_argument("--allow-cpu", metavar="REASON", help="use the CPU where there is no GPU; says why")
    return parser


def _measure(report: dict[str, Any], options: argparse.Namespace) -> None:
    started = time.perf_counter()
    import torch  # noqa: PLC0415 - a missing torch is a finding, not a crash

    report["import_seconds"] = round(time.perf_counter() - started, 3)
    report["torch"] = str(torch.__version__)
    report["build"] = "cu" + torch.version.cuda.replace(".", "") if torch.version.cuda else "cpu"
    report["gpus"] = _gpus(torch)
    if report["gpus"]:
        device, report["device_name"] = "cuda:0", report["gpus"][0]["name"]
    elif options.allow_cpu is None:
        report["problem"] = _why_no_gpu(torch)
        return
    else:
        device, report["device_name"] = "cpu", platform.processor() or platform.machine()
        report["stand_in"] = f"{options.allow_cpu}: torch ran on the CPU"
    report["device"] = device
    report.update(_multiply(torch, device, options.size))
    within = report["max_error"] <= TOLERANCE
    report["agreement"] = "within 1e-3 of the reference" if within else f"off by up to {report['max_error']:.1e}"
    if not within:
        report["problem"] = "the product differs from the reference"


def _gpus(torch: Any) -> list[dict[str, Any]]:
    if not torch.cuda.is_available():
        return []
    found = [torch.cuda.get_device_properties(number) for number in range(torch.cuda.device_count())]
    return [
        {"name": gpu.name, "capability": f"{gpu.major}.{gpu.minor}", "memory_mib": gpu.total_memory >> 20}
        for gpu in found
    ]


def _why_no_gpu(torch: Any) -> str:
    if not torch.version.cuda:
        return "torch cannot use a GPU: this is the CPU build"
    try:
        torch.cuda.init()
    except (RuntimeError, AssertionError) as error:
        return f"torch cannot use a GPU: {str(error).splitlines()[0]}"
    return "torch cannot use a GPU: it finds none (CUDA_VISIBLE_DEVICES hides them, or there is none)"


def _multiply(torch: Any, device: str, size: int) -> dict[str, Any]:
    """One product in float32 on `device`, the same inputs every time, held against float64 on the CPU.

    Seconds are of the fastest of three products after one to warm up; GFLOP/s are 10^9 operations per second.
    """
    generator = torch.Generator().manual_seed(20240404)
    left, right = (torch.rand(size, size, generator=generator) * 2 - 1 for _ in range(2))
    reference = left.double() @ right.double()
    here = left.to(device), right.to(device)
    product = torch.mm(*here)
    seconds = min(_timed(torch, device, here) for _ in range(_REPEATS))
    error = (product.double().cpu() - reference).abs().max().item()
    return {
        "size": size,
        "max_error": max(error, _reference_error(left, right, reference)),
        "seconds": round(seconds, 6),
        "gflops": round(2 * size**3 / seconds / 1e9, 1),
    }


def _timed(torch: Any, device: str, factors: tuple[Any, Any]) -> float:
    if device != "cpu":
        torch.cuda.synchronize()
    started = time.perf_counter()
    torch.mm(*factors)
    if device != "cpu":
        torch.cuda.synchronize()
    return time.perf_counter() - started


def _reference_error(left: Any, right: Any, reference: Any) -> float:
    """How far the reference is from sums made without torch, at four corners: torch must not vouch for torch alone."""
    errors: list[float] = []
    for row, column in _SPOTS:
        products = [a * b for a, b in zip(left[row].tolist(), right[:, column].tolist())]  # noqa: B905 - Python 3.7
        errors.append(abs(math.fsum(products) - reference[row, column].item()))
    return max(errors)


if __name__ == "__main__":
    sys.exit(main())
