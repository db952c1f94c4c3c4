"""What nvidia-smi says: the GPUs, their slices (MIG), and who is at work on them. Old formats and new."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

from .processes import Processes

_SMI_LIMIT_S = 30.0
"""GPUs that sleep are woken one after another, in about a second each."""
_BASE = ("index", "uuid", "name", "driver_version", "memory.total", "memory.used", "utilization.gpu", "compute_mode")
_LATER = ("mig.mode.current", "compute_cap")
"""Fields that old versions of nvidia-smi refuse, and with them the whole question."""
_APPS = "--query-compute-apps=gpu_uuid,pid,process_name,used_memory"
_CSV = "--format=csv,noheader,nounits"
_REFUSED = re.compile(r'Field "([\w.]+)" is not a valid field')
_GPU_LINE = re.compile(r"GPU (\d+):")
_SLICE_LINE = re.compile(r"\s*MIG (\S+)\s+Device\s+(\d+): \(UUID: (MIG-[^)]+)\)")
_SLICE_ROW = re.compile(r"\|\s+(\d+)\s+(\d+)\s+(\d+)\s+(\d+)\s+\|\s+(\d+)MiB\s+/\s+(\d+)MiB")
_SLICE_PROCESS = re.compile(r"\|\s+(\d+)\s+(\d+)\s+(\d+)\s+(\d+)\s+[CGM+]+\s+(.*?)\s+(\d+)MiB\s+\|")


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


def take_inventory(processes: Processes) -> Inventory:
    """Ask nvidia-smi for everything; without it, or without a GPU, the inventory is empty and says why."""
    text = _query(processes)
    found = [gpu for gpu in map(_gpu, text.splitlines()) if gpu is not None]
    rest = [line for line in text.splitlines() if line.strip() and _gpu(line) is None]
    apps = _apps(processes.run(["nvidia-smi", _APPS, _CSV], _SMI_LIMIT_S).said) if found else {}
    found = [replace(gpu, processes=tuple(apps.get(gpu.uuid, ()))) for gpu in found]
    if any(gpu.mig for gpu in found):
        found = _with_slices(processes, found)
    return Inventory(tuple(found), "\n".join(rest))


def usage(processes: Processes) -> dict[str, tuple[int | None, int | None]]:
    """A second look at what changes fast: UUID to memory used (MiB) and utilisation (percent)."""
    found = map(
        _gpu, processes.run(["nvidia-smi", f"--query-gpu={','.join(_BASE)}", _CSV], _SMI_LIMIT_S).said.splitlines()
    )
    return {gpu.uuid: (gpu.used_mib, gpu.busy_percent) for gpu in found if gpu is not None}


def _query(processes: Processes) -> str:
    fields = [*_BASE, *_LATER]
    while True:
        ended = processes.run(["nvidia-smi", f"--query-gpu={','.join(fields)}", _CSV], _SMI_LIMIT_S)
        refused = _REFUSED.search(ended.said)
        if refused is None or refused[1] not in fields:
            return ended.said or ended.problem
        # The refused field's column stays, empty: columns are told apart by their place.
        fields = fields[: fields.index(refused[1])]


def _gpu(line: str) -> Gpu | None:
    cells = [cell.strip() for cell in line.split(",")]
    if len(cells) < len(_BASE) or not cells[0].isdigit() or not cells[1].startswith("GPU-"):
        return None
    index, uuid, name, driver, total, used, busy, mode = cells[: len(_BASE)]
    mig, capability = [*cells[len(_BASE) :], "", ""][:2]
    errors = [cell for cell in cells if cell in {"[Unknown Error]", "[GPU is lost]", "[GPU requires reset]"}]
    return Gpu(
        int(index), uuid, name, driver, _number(total), _number(used), _number(busy), _known(mode),
        mig == "Enabled", _known(capability), errors[0].strip("[]") if errors else "",
    )  # fmt: skip


def _number(cell: str) -> int | None:
    match = re.match(r"\d+", cell)
    return int(match[0]) if match else None


def _known(cell: str) -> str:
    return "" if cell.startswith("[") else cell


def _apps(text: str) -> dict[str, list[Process]]:
    """Programs may have any name, so a line is taken apart from both ends."""
    found: dict[str, list[Process]] = {}
    for line in text.splitlines():
        uuid, _, rest = line.partition(", ")
        pid, _, rest = rest.partition(", ")
        program, _, memory = rest.rpartition(", ")
        if uuid.startswith(("GPU-", "MIG-")) and pid.isdigit():
            found.setdefault(uuid, []).append(Process(int(pid), program, _number(memory), _owner(int(pid))))
    return found


def _owner(pid: int) -> str:
    """The owner's name, or number if that has no name; "" when the process is hidden (hidepid, containers) or gone."""
    folder = Path(f"/proc/{pid}")
    try:
        number = folder.stat().st_uid
        return folder.owner()
    except KeyError:
        return str(number)
    except OSError:
        return ""


def _with_slices(processes: Processes, gpus: list[Gpu]) -> list[Gpu]:
    """`nvidia-smi -L` names the slices; how full each is stands in the table only, under the same numbers."""
    listing = processes.run(["nvidia-smi", "-L"], _SMI_LIMIT_S).said
    table = processes.run(["nvidia-smi"], _SMI_LIMIT_S).said
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
            users = tuple(Process(int(m[4]), m[5], int(m[6]), _owner(int(m[4]))) for m in inside)
            sizes = (int(row[6]), int(row[5])) if row else (0, 0)
            found.setdefault(gpu, []).append(Slice(part[3], part[1], *sizes, users))
    return [replace(gpu, slices=tuple(found.get(gpu.index, ()))) for gpu in gpus]
