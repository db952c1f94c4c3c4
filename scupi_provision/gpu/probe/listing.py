"""What nvidia-smi says, understood: the GPUs, their slices (MIG), and who is at work on them. Old formats and new."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

FIELDS = ("index", "uuid", "name", "driver_version", "memory.total", "memory.used", "utilization.gpu", "compute_mode")
LATER_FIELDS = ("mig.mode.current", "compute_cap")
"""Fields of --query-gpu, in the order in which they are asked for; old versions of nvidia-smi refuse the later ones."""
_UNWELL = frozenset({"[Unknown Error]", "[GPU is lost]", "[GPU requires reset]"})
_GPU_LINE = re.compile(r"GPU (\d+):")
_SLICE_LINE = re.compile(r"\s*MIG (\S+)\s+Device\s+(\d+): \(UUID: (MIG-[^)]+)\)")
_SLICE_ROW = re.compile(r"\|\s+(\d+)\s+(\d+)\s+(\d+)\s+(\d+)\s+\|\s+(\d+)MiB\s+/\s+(\d+)MiB")
_SLICE_PROCESS = re.compile(r"\|\s+(\d+)\s+(\d+)\s+(\d+)\s+(\d+)\s+[CGM+]+\s+(.*?)\s+(\d+)MiB\s+\|")


@dataclass(frozen=True)
class Answers:
    """What nvidia-smi printed.

    Attributes:
        gpus: For --query-gpu with FIELDS (and LATER_FIELDS as far as it knows them), as CSV without header and units.
        apps: For --query-compute-apps=gpu_uuid,pid,process_name,used_memory, likewise.
        listing: For -L.
        table: Without arguments.
    """

    gpus: str = ""
    apps: str = ""
    listing: str = ""
    table: str = ""


@dataclass(frozen=True)
class Process:
    """A program at work on a GPU; `user` is "" and `memory_mib` None where the node hides them."""

    pid: int
    program: str
    memory_mib: int | None
    user: str = ""


@dataclass(frozen=True)
class Slice:
    """A part of a GPU (MIG), which programs see as a GPU of its own."""

    uuid: str
    profile: str
    memory_mib: int = 0
    used_mib: int = 0
    processes: tuple[Process, ...] = ()


@dataclass(frozen=True)
class Gpu:
    """A GPU as nvidia-smi lists it; None is what it does not tell (`[N/A]`, `[Not Supported]`, `[Unknown Error]`).

    `problem` is what it says in place of a value when the GPU is not well, else "".
    """

    index: int
    uuid: str
    name: str
    driver: str
    memory_mib: int | None
    used_mib: int | None
    busy_percent: int | None
    compute_mode: str
    mig: bool
    compute_cap: str
    problem: str = ""
    processes: tuple[Process, ...] = ()
    slices: tuple[Slice, ...] = ()


@dataclass(frozen=True)
class Inventory:
    """All GPUs. `said` is what nvidia-smi printed besides: a GPU without a handle, a driver that does not fit."""

    gpus: tuple[Gpu, ...] = ()
    said: str = ""


def understood(answers: Answers, owner: Callable[[int], str]) -> Inventory:
    """Everything that was said, put together; `owner` tells whose a process is, "" where that is hidden."""
    lines = [line for line in answers.gpus.splitlines() if line.strip()]
    found = [(line, _gpu(line)) for line in lines]
    apps = _apps(answers.apps, owner)
    parts = _slices(answers.listing, answers.table, owner)
    gpus = [
        replace(gpu, processes=tuple(apps.get(gpu.uuid, ())), slices=tuple(parts.get(gpu.index, ())))
        for _, gpu in found
        if gpu is not None
    ]
    return Inventory(tuple(gpus), "\n".join(line for line, gpu in found if gpu is None))


def _gpu(line: str) -> Gpu | None:
    cells = [cell.strip() for cell in line.split(",")]
    if len(cells) < len(FIELDS) or not cells[0].isdecimal() or not cells[1].startswith("GPU-"):
        return None
    index, uuid, name, driver, total, used, busy, mode = cells[: len(FIELDS)]
    mig, capability = [*cells[len(FIELDS) :], "", ""][:2]
    errors = [cell.strip("[]") for cell in cells if cell in _UNWELL]
    return Gpu(
        int(index), uuid, name, driver, _number(total), _number(used), _number(busy), _known(mode),
        mig == "Enabled", _known(capability), errors[0] if errors else "",
    )  # fmt: skip


def _number(cell: str) -> int | None:
    match = re.match(r"\d+", cell)
    return int(match[0]) if match else None


def _known(cell: str) -> str:
    return "" if cell.startswith("[") else cell


def _apps(text: str, owner: Callable[[int], str]) -> dict[str, list[Process]]:
    """Programs may have any name, so a line is taken apart from both ends."""
    found: dict[str, list[Process]] = {}
    for line in text.splitlines():
        uuid, _, rest = line.partition(", ")
        pid, _, rest = rest.partition(", ")
        program, _, memory = rest.rpartition(", ")
        if uuid.startswith(("GPU-", "MIG-")) and pid.isdecimal():
            found.setdefault(uuid, []).append(Process(int(pid), program, _number(memory), owner(int(pid))))
    return found


def _slices(listing: str, table: str, owner: Callable[[int], str]) -> dict[int, list[Slice]]:
    """The listing names the slices; how full each is stands in the table only, under the same numbers."""
    rows = {(int(m[1]), int(m[4])): m for m in map(_SLICE_ROW.match, table.splitlines()) if m}
    at_work = [m for m in map(_SLICE_PROCESS.match, table.splitlines()) if m]
    found: dict[int, list[Slice]] = {}
    gpu = -1
    for line in listing.splitlines():
        heading, part = _GPU_LINE.match(line), _SLICE_LINE.match(line)
        if heading:
            gpu = int(heading[1])
        elif part:
            row = rows.get((gpu, int(part[2])))
            inside = [m for m in at_work if row and m.group(1, 2, 3) == row.group(1, 2, 3)]
            users = tuple(Process(int(m[4]), m[5], int(m[6]), owner(int(m[4]))) for m in inside)
            sizes = (int(row[6]), int(row[5])) if row else (0, 0)
            found.setdefault(gpu, []).append(Slice(part[3], part[1], *sizes, users))
    return found
