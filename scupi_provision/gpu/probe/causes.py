"""Error texts of torch and the driver, each with what is behind it and what to do."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .counting import Counts


@dataclass(frozen=True)
class Finding:
    """Something that is wrong, in words.

    Attributes:
        cause: A short name. The four causes of the INTERNAL ASSERT are "A" to "D", as in docs/gpu.md.
        what: What is behind it.
        fix: What to do.
        tries_next: Whether another GPU may well work.
    """

    cause: str
    what: str
    fix: str
    tries_next: bool = False


@dataclass(frozen=True)
class Seen:
    """What is known when an error is judged.

    `visible` is CUDA_VISIBLE_DEVICES, or None; `mig`: some GPU is cut into slices; `torch_count` is what torch counts.
    """

    counts: Counts
    visible: str | None = None
    mig: bool = False
    torch_count: int | None = None


LATE_CHOICE = Finding(
    "A",
    "CUDA_VISIBLE_DEVICES was changed after something had counted the GPUs: torch counts once per process, and the two "
    "counts no longer agree",
    "set it before python starts (`gpu-python train.py` does), never inside the program after `import torch`",
)
_SLICES = Finding(
    "C",
    "a GPU is cut into slices (MIG): the driver lists the whole GPUs, but a program can open only one slice",
    "choose a slice: CUDA_VISIBLE_DEVICES=MIG-… from `nvidia-smi -L`; `gpu-python` does it by itself",
)
_OLD_TORCH = Finding(
    "D",
    "this torch is too old to count slices (MIG): it sees none where CUDA sees one",
    "install a newer torch (`provision torch explain` names one that suits the driver)",
)

_DEAD = (
    "uncorrectable ECC|GPU is lost|fallen off the bus|GPU requires reset|device unavailable|unspecified launch failure|"
    "torch does not come back|Unable to determine the device handle"
)
_TEXTS: tuple[tuple[str, Finding], ...] = (
    ("no kernel image is available", Finding(
        "architecture", "torch was not compiled for this GPU's compute capability",
        "install a build that serves it: `provision torch explain` names it", tries_next=True)),
    ("devices are busy or unavailable", Finding(
        "busy", "the GPU takes one program at a time (compute mode exclusive) and has one, or takes none (prohibited)",
        "choose another GPU, or wait for the program that is on it", tries_next=True)),
    ("out of memory", Finding(
        "memory", "other programs have filled the GPU's memory",
        "choose another GPU, or wait; `provision gpu` shows who is on which", tries_next=True)),
    ("not compiled with CUDA enabled|this is the CPU build", Finding(
        "cpu build", "this is the CPU build of torch: it was chosen on a node without a GPU, or by plain `pip install`",
        "apply the role torch, which asks the GPU node's driver")),
    ("Found no NVIDIA driver|NVIDIA-SMI has failed because it couldn't communicate", Finding(
        "no driver", "no NVIDIA driver is loaded on this node",
        "log in on the GPU node; if this is the GPU node, tell its administrator")),
    ("Driver/library version mismatch", Finding(
        "driver update", "the driver was updated and the old one is still loaded",
        "nothing that you can do: the node has to be restarted; tell its administrator")),
    ("system not yet initialized|system is not ready", Finding(
        "fabric", "the service that joins the GPUs (NVIDIA Fabric Manager) does not run",
        "tell the node's administrator")),
    ("forward compatibility was attempted", Finding(
        "compatibility library", "a libcuda of CUDA's compatibility package is found first, and this GPU cannot use it",
        "take its folder (…/compat) out of LD_LIBRARY_PATH")),
    ("No CUDA GPUs are available|no CUDA-capable device", Finding(
        "none visible", "CUDA finds no GPU: CUDA_VISIBLE_DEVICES hides them all, or the job was given none",
        "unset CUDA_VISIBLE_DEVICES, or ask the batch system for a GPU (`srun --gres=gpu:1 …`)")),
    ("invalid device ordinal", Finding(
        "number", "the program asks for a GPU by a number that is not there; visible GPUs are numbered from 0",
        "use cuda:0, and choose the GPU by CUDA_VISIBLE_DEVICES")),
    (_DEAD, Finding("dead", "the GPU is broken or hangs: the driver lists it and cannot use it",
        "leave it out (`gpu-python` does), and tell the administrator its UUID", tries_next=True)),
    ("CUDA unknown error", Finding(
        "unknown", "CUDA cannot begin on this node: the module nvidia_uvm is not loaded, a GPU is dead, or the driver "
        "was updated", "tell the node's administrator", tries_next=True)),
    ("GLIBC_[0-9.]+' not found", Finding(
        "C library", "torch was built for a newer C library than this node has",
        "install a build for it: `provision torch explain --glibc …` names it")),
    ("NCCL|unhandled system error", Finding(
        "nccl",
        "the GPUs cannot talk to each other: /dev/shm is too small, or NCCL takes the wrong network interface",
        "run again with NCCL_DEBUG=INFO, which tells; a way around is NCCL_P2P_DISABLE=1")),
)  # fmt: skip


def explain(text: str, seen: Seen) -> Finding | None:
    """What is behind an error text, or None when it is not known here."""
    if re.search(r"device < num_gpus INTERNAL ASSERT FAILED", text):
        return _assertion(seen)
    old = re.search(r"driver on your system is too old \(found version (\d+)\)", text)
    if old:
        return _old_driver(int(old[1]))
    return next((finding for pattern, finding in _TEXTS if re.search(pattern, text, re.IGNORECASE)), None)


def disagreement(seen: Seen) -> list[Finding]:
    """What the two counts alone foretell, before torch has failed."""
    nvml, cuda = seen.counts.nvml, seen.counts.cuda
    if nvml is None or cuda is None or nvml == cuda:
        return []
    return [_SLICES if seen.mig else _dead(seen.counts)]


def _assertion(seen: Seen) -> Finding:
    """Which of the four causes it is: slices show in the inventory, a dead GPU in the counts; else it is the first."""
    if (seen.visible or "").startswith("MIG-") and seen.torch_count == 0:
        return _OLD_TORCH
    found = disagreement(seen)
    return found[0] if found else LATE_CHOICE


def _dead(counts: Counts) -> Finding:
    which = ", ".join([*counts.dead, *(f"number {number}" for number in counts.lost)]) or "one of them"
    return Finding(
        "B",
        f"the driver lists {counts.nvml} GPUs and CUDA can open {counts.cuda}: {which} is broken",
        "leave it out: CUDA_VISIBLE_DEVICES=<UUID of another>, as `gpu-python` does; tell the administrator",
        tries_next=True,
    )


def _old_driver(number: int) -> Finding:
    version = f"{number // 1000}.{number % 1000 // 10}"  # as cuDriverGetVersion has it
    return Finding(
        "old driver",
        f"torch was built for a newer CUDA than this driver supports (CUDA {version})",
        "install a build for this driver: `provision torch explain` names it",
    )
