"""The choice of a torch build, as machines read it."""

from __future__ import annotations

from typing import Any

from scupi_provision.gpu import explain, installing
from scupi_provision.gpu.resolver import Rejection, Resolution
from scupi_provision.gpu.torch_builds import CONDA_FORGE, CPU, Build


def resolution_as_data(found: Resolution) -> dict[str, Any]:
    """Everything that was found, as JSON can say it; docs/torch.md describes it."""
    machine, choice = found.machine, found.choice
    return {
        "machine": {
            "driver": machine.driver,
            "cuda": machine.cuda,
            "compute_caps": [str(gpu) for gpu in machine.capabilities],
            "glibc": machine.glibc,
            "python": machine.python,
        },
        "choice": _build(found, choice) if choice else None,
        "why": explain.why(found),
        "rejected": [_rejection(one) for one in found.rejected],
        "conda_forge": _build(found, found.conda) if found.conda else None,
        "cpu": _build(found, found.cpu) if found.cpu else None,
        "notes": list(explain.notes(found)),
        "table": found.table.as_of,
    }


def _rejection(one: Rejection) -> dict[str, Any]:
    reasons = [{"kind": reason.kind, "words": reason.words} for reason in one.reasons]
    return {"torch": one.build.torch, "tag": one.build.tag, "reasons": reasons}


def _build(found: Resolution, build: Build) -> dict[str, Any]:
    conda = build.channel == CONDA_FORGE
    own: dict[str, Any] = {
        "torch": build.torch,
        "tag": build.tag,
        "channel": build.channel,
        "cuda": build.cuda,
        "driver": build.driver,
        "glibc": build.glibc,
        "python": list(build.python),
        "archs": [str(code) for code in build.codes],
        "unsure": build.unsure,
        "sources": [found.table.sources[name] for name in build.sources],
    }
    if conda:
        return own | {"conda_packages": list(installing.conda_packages(build, found.wish))}
    return own | {
        "torchvision": build.torchvision,
        "torchaudio": build.torchaudio,
        "spec": list(installing.pip_requirements(build, found.wish, found.table)),
        "index_url": installing.index_urls(build.tag)[0],
        "only_binary": installing.only_binary(found.machine, found.table),
        "gpu": build.tag != CPU,
    }
