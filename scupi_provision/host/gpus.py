"""What the lines of nvidia-smi say about the GPUs of a host."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

_CAPABILITIES = (
    ("G?B200", "10.0"), ("RTX 50\\d0", "12.0"), ("H100|G?H200|H800|H20", "9.0"),
    ("L4|L20|L40S?|RTX 40\\d0", "8.9"),
    ("A2|A10G?|A16|A40|RTX A[2-6]\\d00|RTX 30\\d0", "8.6"), ("A100|A30|A800", "8.0"),
    ("T4|RTX 20\\d0|TITAN RTX", "7.5"), ("V100S?|TITAN V", "7.0"),
    ("P4|P40|GTX 10\\d0|TITAN Xp", "6.1"), ("P100", "6.0"),
    ("M40|M60", "5.2"), ("K80", "3.7"), ("K20X?|K40[cm]?", "3.5"),
)  # fmt: skip
"""Capability by name, where nvidia-smi does not tell: it does not know the field `compute_cap` (R470 and before), or it
does not answer. Source: NVIDIA's tables "CUDA GPUs" and "Legacy CUDA GPUs"."""


@dataclass(frozen=True)
class Gpu:
    """One GPU as the driver lists it.

    Attributes:
        index: nvidia-smi's number, which CUDA need not share; name GPUs by `uuid`.
        uuid: `GPU-…`, or "" when even the driver cannot tell.
        memory_mib: Memory in MiB; 0 when it has none of its own (GB10) or does not say.
        compute_cap: Compute capability, such as "8.0"; "" when unknown.
        mig: Whether it is cut into slices: then programs use the slices, never the GPU itself.
    """

    index: int
    uuid: str
    name: str
    memory_mib: int = 0
    compute_cap: str = ""
    mig: bool = False


def gpus(raw: Mapping[str, str]) -> tuple[Gpu, ...]:
    """The GPUs among the facts that `facts.sh` reads (`gpu_0`, `gpu_1`, …)."""
    found: list[Gpu] = []
    while (line := raw.get(f"gpu_{len(found)}")) is not None:
        found.append(_gpu(line, len(found)))
    return tuple(found)


def plain(found: tuple[Gpu, ...]) -> list[dict[str, Any]]:
    """`ansible_facts.gpus`."""
    return [asdict(gpu) for gpu in found]


def capabilities(found: tuple[Gpu, ...]) -> list[str]:
    """Each known compute capability once, the smallest first."""
    known = {gpu.compute_cap for gpu in found if gpu.compute_cap}
    return sorted(known, key=lambda text: tuple(map(int, text.split("."))))


def driver(raw: Mapping[str, str]) -> str | None:
    """The NVIDIA kernel driver's version, such as "510.47.03": the module's own word, else nvidia-smi's."""
    for text in (raw.get("nvidia_driver_text", ""), _cells(raw.get("gpu_0", ""))[4]):
        if match := re.search(r"(?:^|\s)(\d{3}\.\d+(?:\.\d+)?)(?:\s|$)", text):
            return match[1]
    return None


def cuda_driver(raw: Mapping[str, str]) -> str:
    """The CUDA version in nvidia-smi's header: "CUDA Version: 12.6", from R610 on "CUDA UMD Version: 13.3"."""
    match = re.search(r"CUDA(?:\s+\w+)?\s+Version\s*:\s*(\d+\.\d+)", raw.get("nvidia_header", ""))
    return match[1] if match else ""


def _cells(line: str) -> list[str]:
    """The seven cells of a line; those that an old nvidia-smi does not know, or that it will not tell, are ""."""
    cells = [cell.strip() for cell in line.split(",")]
    return [("" if cell.startswith("[") else cell) for cell in [*cells, *[""] * 7][:7]]


def _gpu(line: str, number: int) -> Gpu:
    index, uuid, name, memory, _, mig, capability = _cells(line)
    return Gpu(
        int(index) if index.isdecimal() else number,
        uuid if re.fullmatch(r"GPU-[0-9a-fA-F-]+", uuid) else "",
        name,
        int(memory) if memory.isdecimal() else 0,
        capability if re.fullmatch(r"\d+\.\d+", capability) else _capability_by_name(name),
        mig == "Enabled",
    )


def _capability_by_name(name: str) -> str:
    for names, capability in _CAPABILITIES:
        if re.search(rf"(?<![\w.])(?:{names})(?![\w.])", name):
            return capability
    return ""
