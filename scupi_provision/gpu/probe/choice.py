"""Which GPU is free: no program on it, no memory in use, nothing to do, twice in a row. Chosen by UUID.

The same rule in sh is in templates/gpu-python.sh.j2 (with one look instead of two).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .listing import Gpu, Process, Slice

IDLE_MIB = 500
"""Memory in use on a GPU that nobody uses: what the driver keeps for itself, up to about half a GiB."""
IDLE_PERCENT = 5
NEEDED_MIB = 2048
"""What a proof takes on a GPU that others use too: CUDA's context, torch's libraries, three small matrices."""


@dataclass(frozen=True)
class Candidate:
    """A GPU or a slice that could be chosen.

    Attributes:
        uuid: What CUDA_VISIBLE_DEVICES is set to.
        name: For people.
        free_mib: Memory that is not in use.
        obstacle: Why it is not free, or "".
        usable: Whether it could be shared with those who are on it.
    """

    uuid: str
    name: str
    free_mib: int
    obstacle: str = ""
    usable: bool = True


def candidates(
    gpus: Sequence[Gpu], later: Mapping[str, tuple[int | None, int | None]], dead: Sequence[str] = ()
) -> list[Candidate]:
    """Every GPU and slice: free ones first, those with the most free memory before others, unusable ones last."""
    found = [candidate for gpu in gpus for candidate in _of_gpu(gpu, later, dead)]
    return sorted(found, key=lambda one: (not one.usable, one.obstacle != "", -one.free_mib))


def _of_gpu(gpu: Gpu, later: Mapping[str, tuple[int | None, int | None]], dead: Sequence[str]) -> list[Candidate]:
    slices = [_of_slice(gpu, part) for part in gpu.slices]
    used, busy = _most(gpu, later)
    free = max((gpu.memory_mib or 0) - (used or 0), 0)
    broken = _unusable(gpu, dead)
    if broken:
        return [Candidate(gpu.uuid, gpu.name, free, broken, usable=False), *slices]
    exclusive = gpu.compute_mode.startswith("Exclusive") and bool(gpu.processes)
    return [Candidate(gpu.uuid, gpu.name, free, _occupied(gpu, used, busy), usable=not exclusive)]


def _unusable(gpu: Gpu, dead: Sequence[str]) -> str:
    if gpu.mig:
        return "it is cut into slices (MIG), which are chosen instead"
    if gpu.problem:
        return f"it is not well: {gpu.problem}"
    if gpu.uuid in dead:
        return "CUDA cannot open it"
    return "it takes no programs (compute mode Prohibited)" if gpu.compute_mode == "Prohibited" else ""


def _occupied(gpu: Gpu, used: int | None, busy: int | None) -> str:
    if gpu.processes:
        return _at_work(gpu.processes)
    if (used or 0) > IDLE_MIB:
        return f"{used} MiB of its memory are in use, by programs that this node hides"
    return f"it is at work ({busy} %)" if (busy or 0) > IDLE_PERCENT else ""


def _of_slice(gpu: Gpu, part: Slice) -> Candidate:
    obstacle = _at_work(part.processes) if part.processes else ""
    if not obstacle and part.used_mib > IDLE_MIB:
        obstacle = f"{part.used_mib} MiB of its memory are in use, by programs that this node hides"
    return Candidate(part.uuid, f"{gpu.name}, slice {part.profile}", part.memory_mib - part.used_mib, obstacle)


def _at_work(processes: Sequence[Process]) -> str:
    *others, last = sorted({process.user or "somebody" for process in processes})
    return f"{', '.join(others)} and {last} have programs on it" if others else f"{last} has programs on it"


def _most(gpu: Gpu, later: Mapping[str, tuple[int | None, int | None]]) -> tuple[int | None, int | None]:
    """The larger of two looks: a program that is between two steps is idle for a moment."""
    used, busy = later.get(gpu.uuid, (None, None))
    return _larger(gpu.used_mib, used), _larger(gpu.busy_percent, busy)


def _larger(one: int | None, other: int | None) -> int | None:
    known = [number for number in (one, other) if number is not None]
    return max(known) if known else None
