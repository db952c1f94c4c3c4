"""All-reduce: several processes, one device each, add up what each has (as `torchrun` would start them on one node)."""

from __future__ import annotations

import datetime as dt
import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from .processes import Ended, Processes

CPU_PROCESSES = 2
_GPU_ELEMENTS, _CPU_ELEMENTS = 1 << 24, 1 << 20
"""float32 numbers that each process gives: 64 MiB, or 4 MiB."""
_REPEATS = 5


def all_reduce(processes: Processes, uuids: Sequence[str], limit_s: float) -> dict[str, Any]:
    """Run the check on these GPUs, or on the CPU when there are none; `problem` is None when all sums are right."""
    backend, count = ("nccl", len(uuids)) if uuids else ("gloo", CPU_PROCESSES)
    environment = dict(os.environ, CUDA_DEVICE_ORDER="PCI_BUS_ID", CUDA_VISIBLE_DEVICES=",".join(uuids))
    if sys.platform.startswith("linux"):  # all on this node: the loopback device is always there and never filtered
        environment = {"NCCL_SOCKET_IFNAME": "lo", "GLOO_SOCKET_IFNAME": "lo", **environment}
    with tempfile.TemporaryDirectory(prefix="provision-gpu-probe-") as folder:
        options = ["--backend", backend, "--world", str(count), "--meeting", str(Path(folder, "meeting"))]
        ranks = [
            processes.start_part("rank", environment, limit_s, "--rank", str(rank), *options) for rank in range(count)
        ]
        ended = [processes.wait(rank) for rank in ranks]
    return {"backend": backend, "processes": count, "devices": list(uuids) or ["cpu"] * count, **_judged(ended)}


def _judged(ended: Sequence[Ended]) -> dict[str, Any]:
    problems: list[str] = []
    for rank, one in enumerate(ended):
        problem = one.problem or one.result.get("problem")
        if problem:
            problems.append(f"process {rank}: {problem}")
    first = ended[0].result
    return {"gigabytes_per_second": first.get("gigabytes_per_second"), "problem": "; ".join(problems) or None}


def take_part(
    tell: Callable[[dict[str, Any]], None], rank: int, world: int, backend: str, meeting: str, limit_s: float
) -> None:
    """In one of the processes: add up, and see that the sum is right everywhere."""
    try:
        tell(_summed(rank, world, backend, meeting, limit_s))
    except Exception as error:  # noqa: BLE001 - whatever torch raises is the finding
        tell({"problem": f"{type(error).__name__}: {error}".splitlines()[0]})


def _summed(rank: int, world: int, backend: str, meeting: str, limit_s: float) -> dict[str, Any]:
    import torch  # noqa: PLC0415 - heavy, and only parts need it
    import torch.distributed as group  # noqa: PLC0415

    device, elements = ("cpu", _CPU_ELEMENTS)
    if backend == "nccl":
        device, elements = f"cuda:{rank}", _GPU_ELEMENTS
        torch.cuda.set_device(rank)
    group.init_process_group(
        backend,
        init_method=f"file://{meeting}",
        rank=rank,
        world_size=world,
        timeout=dt.timedelta(seconds=limit_s),
    )
    numbers = torch.full((elements,), float(rank + 1), device=device)
    group.all_reduce(numbers)
    expected = world * (world + 1) / 2
    right = bool((numbers == expected).all().item())
    seconds = _seconds(torch, group, device, numbers)
    group.destroy_process_group()
    # Every element travels 2 (n-1)/n times over the slowest link: what NCCL's own tests call bus bandwidth.
    speed = 2 * (world - 1) / world * elements * 4 / seconds / 1e9
    return {
        "gigabytes_per_second": round(speed, 2),
        "problem": None if right else f"the sum is not {expected:g} everywhere",
    }


def _seconds(torch: Any, group: Any, device: str, numbers: Any) -> float:
    if device != "cpu":
        torch.cuda.synchronize()
    started = time.perf_counter()
    for _ in range(_REPEATS):
        group.all_reduce(numbers)
    if device != "cpu":
        torch.cuda.synchronize()
    return (time.perf_counter() - started) / _REPEATS
