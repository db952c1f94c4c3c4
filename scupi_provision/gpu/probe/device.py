"""In a fresh process that sees one GPU (or none): what torch is, and whether it computes there like the CPU does."""

from __future__ import annotations

import math
import os
import platform
import re
import time
from collections.abc import Callable, Iterable
from typing import Any

from . import counting, timing

TOLERANCE = 1e-3
"""Largest accepted error of one element. Honest float32 sums of 1024 products of numbers in [-1, 1) stay near 1e-4;
a product in TensorFloat-32 is off by 1e-2."""

AGREES = "within 1e-3 of the reference"
_REPEATS = 3
_SPOTS = ((0, 0), (1, -1), (-1, 1), (-1, -1))


def examine(
    tell: Callable[[dict[str, Any]], None], *, size: int, cpu_reason: str | None = None, bench: bool = False
) -> dict[str, Any]:
    """Everything about the one device; told step by step, so that what hangs does not take what is known with it."""
    report: dict[str, Any] = dict.fromkeys(("torch", "build", "device", "device_name", "agreement", "problem"))
    report["visible"] = os.environ.get("CUDA_VISIBLE_DEVICES")
    try:
        _steps(report, tell, size, cpu_reason, bench=bench)
    except Exception as error:  # noqa: BLE001 - whatever torch raises is the finding
        report["problem"] = f"{type(error).__name__}: {error}".strip().splitlines()[0]
        report["error"] = str(error)[:4000]
    tell(report)
    return report


def _steps(
    report: dict[str, Any], tell: Callable[[dict[str, Any]], None], size: int, cpu_reason: str | None, *, bench: bool
) -> None:
    started = time.perf_counter()
    import torch  # noqa: PLC0415 - a missing torch is a finding, not a crash

    report["import_seconds"] = round(time.perf_counter() - started, 3)
    report["torch"] = str(torch.__version__)
    report["build"] = "cu" + torch.version.cuda.replace(".", "") if torch.version.cuda else "cpu"
    tell(report)
    device = _device(torch, report, cpu_reason)
    if device is None:
        return
    report["device"] = device
    report.update(_multiply(torch, device, size))
    within = report["max_error"] <= TOLERANCE
    report["agreement"] = AGREES if within else f"off by up to {report['max_error']:.1e}"
    if not within:
        report["problem"] = "the product differs from the reference"
    if bench:
        tell(report)
        report["bench"] = timing.measure(torch, device, report.get("capability"))


def _device(torch: Any, report: dict[str, Any], cpu_reason: str | None) -> str | None:
    if torch.version.cuda:
        report["torch_count"] = torch.cuda.device_count()
        report["cuda_count"] = counting.ask_cuda().get("count")
    if torch.version.cuda and torch.cuda.is_available():
        return _gpu(torch, report)
    if cpu_reason is None:
        report["problem"] = _why_no_gpu(torch)
        return None
    report["device_name"] = platform.processor() or platform.machine()
    report["stand_in"] = f"{cpu_reason}: torch ran on the CPU"
    return "cpu"


def _gpu(torch: Any, report: dict[str, Any]) -> str | None:
    torch.cuda.init()  # where the two counts differ, this is where torch fails
    found = torch.cuda.get_device_properties(0)
    report["device_name"] = found.name
    report["capability"] = f"{found.major}.{found.minor}"
    report["memory_mib"] = found.total_memory >> 20
    report["arch_list"] = list(torch.cuda.get_arch_list())
    report["served"] = served_by(report["arch_list"], (found.major, found.minor))
    if not report["served"]:
        report["problem"] = f"no kernel image is available: torch is compiled for {' '.join(report['arch_list'])} only"
        return None
    return "cuda:0"


def served_by(arch_list: Iterable[str], capability: tuple[int, int]) -> str:
    """The entry of torch's arch list that runs on a GPU of this capability, or "".

    Binary code (`sm_86`) runs on the same major version from its minor on, PTX (`compute_90`) on everything later; with
    an `a` at its end it runs on exactly that one (torch's own rule: `_check_cubins` in torch/cuda/__init__.py).
    """
    best = ""
    for entry in arch_list:
        match = re.match(r"(sm|compute)_(\d+)(\d)([af]?)$", entry)
        if not match:
            continue
        built = int(match[2]), int(match[3])
        same = match[1] == "sm" and built[0] == capability[0] and built[1] <= capability[1]
        if built == capability if match[4] == "a" else same or (match[1] == "compute" and built <= capability):
            best = entry if same or not best else best
    return best


def _why_no_gpu(torch: Any) -> str:
    if not torch.version.cuda:
        return "torch cannot use a GPU: this is the CPU build"
    try:
        torch.cuda.init()
    except (RuntimeError, AssertionError) as error:
        return f"torch cannot use a GPU: {str(error).splitlines()[0]}"
    return "torch cannot use a GPU: No CUDA GPUs are available"


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
        "gflops": round(timing.operations(size) / seconds / 1e9, 1),
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
