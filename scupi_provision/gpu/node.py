"""A GPU node as `provision gpu` shows it: who is on which GPU, and which one is free."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

from scupi_provision.gpu.probe.choice import Candidate, candidates
from scupi_provision.gpu.probe.listing import Answers, Inventory, understood

_KINDS = ("gpus", "apps", "listing", "table")


@dataclass(frozen=True)
class GpuNode:
    """One host, looked at once.

    Attributes:
        host: Its label.
        driver: The NVIDIA driver's version, "" without one.
        cuda: The CUDA version that the driver itself supports, "" when it does not say.
        inventory: GPUs and who uses them.
        choice: All of them and their slices, in the order in which `gpu-python` takes them.
        report: What the probe reported, when it ran.
    """

    host: str
    driver: str = ""
    cuda: str = ""
    inventory: Inventory = field(default_factory=Inventory)
    choice: tuple[Candidate, ...] = ()
    report: dict[str, Any] | None = None

    @property
    def chosen(self) -> Candidate | None:
        """What `gpu-python` would take now."""
        return next((one for one in self.choice if one.usable), None)

    @property
    def data(self) -> dict[str, Any]:
        """The node as built-in types."""
        return {
            "host": self.host,
            "driver": self.driver,
            "cuda": self.cuda,
            "gpus": [asdict(gpu) for gpu in self.inventory.gpus],
            "said": self.inventory.said,
            "candidates": [asdict(one) for one in self.choice],
            "chosen": self.chosen.uuid if self.chosen else None,
            "probe": self.report,
        }


def inventory_of(lines: Iterable[tuple[str, str]]) -> Inventory:
    """What `shell/gpus.sh` tells, understood: lines of nvidia-smi by their kind, and `owner_PID`."""
    told: dict[str, list[str]] = {kind: [] for kind in _KINDS}
    owners: dict[int, str] = {}
    for name, value in lines:
        if name in told:
            told[name].append(value)
        elif name.startswith("owner_"):
            owners[int(name.removeprefix("owner_"))] = value
    answers = Answers(**{kind: "\n".join(texts) for kind, texts in told.items()})
    return understood(answers, lambda pid: owners.get(pid, ""))


def gpu_node(host: str, driver: str, cuda: str, inventory: Inventory) -> GpuNode:
    """The node with its choice: one look, as `gpu-python` takes it."""
    return GpuNode(host, driver, cuda, inventory, tuple(candidates(inventory.gpus, {})))
