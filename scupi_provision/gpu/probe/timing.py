"""How fast the one visible device is: products of large matrices in each precision, and copying within its memory."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from functools import partial
from typing import Any

_GPU_SIZE, _CPU_SIZE = 8192, 1024
"""Edges of the matrices: three of 8192 x 8192 in float32 are 0.8 GB, and keep every GPU busy for milliseconds."""
_GPU_COPY, _CPU_COPY = 1 << 30, 1 << 26
"""Bytes that are copied: far more than any cache holds."""
_WARM_UP = 3
_MEASURED_S = 1.0
_MOST_REPEATS = 50


def operations(size: int) -> int:
    """Floating point operations of one product of square matrices, as everybody counts them: 2 n³."""
    return 2 * size**3


def measure(torch: Any, device: str, capability: str | None) -> dict[str, Any]:
    """TFLOP/s in each precision that the device has units for, and GB/s (10^9 bytes, read and written both counted)."""
    size = _GPU_SIZE if device != "cpu" else _CPU_SIZE
    found: dict[str, Any] = {"size": size, "matmul": {}}
    for name, kind, tensor_float in _precisions(torch, capability):
        torch.backends.cuda.matmul.allow_tf32 = tensor_float
        left, right = (torch.randn(size, size, device=device, dtype=kind) for _ in range(2))
        seconds = _typical(torch, device, partial(torch.mm, left, right))
        speed = {"milliseconds": round(seconds * 1e3, 3), "tflops": round(operations(size) / seconds / 1e12, 3)}
        found["matmul"][name] = speed
    found["memory"] = _copying(torch, device)
    return found


def _precisions(torch: Any, capability: str | None) -> list[Any]:
    """TensorFloat-32 and bfloat16 came with compute capability 8.0; before that, half precision is the fast one."""
    if capability is None:
        return [("fp32", torch.float32, False), ("bf16", torch.bfloat16, False)]
    major = int(capability.split(".", maxsplit=1)[0])
    later = [("tf32", torch.float32, True), ("bf16", torch.bfloat16, False)]
    return [("fp32", torch.float32, False), *(later if major >= 8 else [("fp16", torch.float16, False)])]


def _copying(torch: Any, device: str) -> dict[str, float]:
    size = _GPU_COPY if device != "cpu" else _CPU_COPY
    source = torch.ones(size // 4, dtype=torch.float32, device=device)
    target = torch.empty_like(source)
    seconds = _typical(torch, device, partial(target.copy_, source))
    return {"copied_mib": size >> 20, "gigabytes_per_second": round(2 * size / seconds / 1e9, 1)}


def _typical(torch: Any, device: str, work: Callable[[], Any]) -> float:
    """The median of repeated runs, after some to warm up: the first ones load libraries and raise the clock."""
    for _ in range(_WARM_UP):
        work()
    clock = _on_cpu if device == "cpu" else _on_gpu
    seconds: list[float] = []
    while sum(seconds) < _MEASURED_S and len(seconds) < _MOST_REPEATS:
        seconds.append(clock(torch, work))
    return statistics.median(seconds)


def _on_cpu(_torch: Any, work: Callable[[], Any]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _on_gpu(torch: Any, work: Callable[[], Any]) -> float:
    """The GPU's own clock: work is only queued when the call returns."""
    begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    begin.record()
    work()
    end.record()
    torch.cuda.synchronize()
    return float(begin.elapsed_time(end)) / 1e3
