"""A resolution in words: what was chosen, why, why nothing newer, and what else there is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from packaging.version import Version

from scupi_provision.gpu.fitness import known_cuda
from scupi_provision.gpu.machine import Machine, Wish
from scupi_provision.gpu.resolver import Rejection, Resolution, resolve
from scupi_provision.gpu.torch_builds import CPU, Build, Table


@dataclass(frozen=True)
class Group:
    """Builds that were passed over for the same reasons.

    Attributes:
        builds: In words, such as "2.7.0 to 2.14.1 (cu126)"; one text for each range of versions.
        reasons: The reasons of each of them.
    """

    builds: tuple[str, ...]
    reasons: tuple[str, ...]


def machine_words(machine: Machine, table: Table, *, on_gpu: bool = True) -> str:
    """`driver 510.47 (knows CUDA 11.0 at least), compute capability 8.0, glibc 2.17, any Python`."""
    software = [
        f"glibc {machine.glibc}" if machine.glibc else "glibc unknown",
        f"Python {machine.python}" if machine.python else "any Python",
    ]
    if not on_gpu:
        return ", ".join(software)
    knows = known_cuda(machine, table)
    cuda = f" (knows CUDA {knows}{'' if machine.cuda else ' at least'})" if knows else ""
    gpus = " ".join(map(str, machine.capabilities))
    hardware = [
        f"driver {machine.driver}{cuda}" if machine.driver else "no NVIDIA driver",
        f"compute capability {gpus}" if gpus else "compute capability unknown",
    ]
    return ", ".join([*hardware, *software])


def wish_words(wish: Wish) -> str:
    """`torch ==2.4.* from cu121`, or "" when everything may be chosen."""
    versions = f" {wish.versions}" if wish.versions else ""
    source = f" from {wish.tag}" if wish.tag else ""
    return f"torch{versions}{source}" if versions or source else ""


def why(found: Resolution) -> str:
    """One sentence, without its full stop: what is chosen and what it suits, or that nothing does."""
    on_gpu = (found.choice.tag if found.choice else found.wish.tag) != CPU
    here = machine_words(found.machine, found.table, on_gpu=on_gpu)
    wished = wish_words(found.wish)
    if found.choice is None:
        what = f"no {wished}" if wished else "no build of torch with CUDA"
        return f"{what} suits a machine with {here}"
    if found.kept:
        return f"torch {found.choice.name} was chosen before, and suits {here}"
    if found.wish.exact and found.wish.tag:
        return f"torch {found.choice.name} is asked for, and suits {here}"
    rest = f" of {wished}" if wished else ""
    return f"torch {found.choice.name} is the newest{rest} for {here}"


def needs(build: Build) -> str:
    """`driver 450.80.02, glibc 2.17, Python 3.9 to 3.13; code for 3.7 5.0 …`."""
    first, last = build.python
    driver = [f"driver {build.driver}"] if build.driver else []
    code = f"; code for {' '.join(map(str, build.codes))}" if build.codes else ""
    return ", ".join([*driver, f"glibc {build.glibc}", f"Python {first} to {last}"]) + code


def notes(found: Resolution) -> tuple[str, ...]:
    """What is not certain or not known about the choice."""
    machine, choice = found.machine, found.choice
    said = [f"the {what} is not known, so it was not checked" for what in _unknown(machine, choice)]
    if choice is not None:
        said += [f"not certain: {choice.unsure}"] if choice.unsure else []
        said += [choice.note] if choice.note else []
        said += [choice.audio_note] if choice.audio_note and "torchaudio" in found.wish.companions else []
        said += [choice.vision_note] if choice.vision_note and "torchvision" in found.wish.companions else []
    least = found.table.cuda_of(machine.driver) if machine.driver else ""
    if machine.cuda and least and Version(machine.cuda) < Version(least):
        said.append(f"driver {machine.driver} knows CUDA {least} itself; {machine.cuda} was given")
    return tuple(said)


def _unknown(machine: Machine, choice: Build | None) -> list[str]:
    cuda = choice is None or choice.tag != CPU
    return [
        *(["compute capability of the GPUs"] if cuda and not machine.capabilities else []),
        *(["C library"] if not machine.glibc else []),
    ]


def groups(rejected: Iterable[Rejection]) -> tuple[Group, ...]:
    """Rejections put together by their reasons, in the order of the newest build of each.

    What is only not asked for is left out when something is in the way of what is asked for.
    """
    passed = list(rejected)
    asked_for = [one for one in passed if one.reasons[0].kind != "pin"]
    together: dict[tuple[str, ...], list[Build]] = {}
    for one in asked_for or passed:
        together.setdefault(tuple(reason.words for reason in one.reasons), []).append(one.build)
    return tuple(Group(_builds(builds), reasons) for reasons, builds in together.items())


def _builds(builds: Sequence[Build]) -> tuple[str, ...]:
    """`2.9.0 to 2.15.0 (cu130)`, `2.12.0 to 2.15.0 (cu132)`: tags of the same range together."""
    versions: dict[str, list[Version]] = {}
    for build in builds:
        versions.setdefault(build.tag, []).append(Version(build.torch))
    ranges: dict[tuple[Version, Version], list[str]] = {}
    for tag, found in versions.items():
        ranges.setdefault((max(found), min(found)), []).append(tag)
    newest_first = sorted(ranges.items(), key=lambda item: item[0], reverse=True)
    return tuple(f"{_range(oldest, newest)} ({' '.join(sorted(tags))})" for (newest, oldest), tags in newest_first)


def _range(oldest: Version, newest: Version) -> str:
    return f"{newest}" if oldest == newest else f"{oldest} to {newest}"


def alternatives(found: Resolution) -> tuple[str, ...]:
    """What there is besides the choice: without what was asked for; on conda-forge, when it is newer; for the CPU."""
    if found.newer is not None:
        return (f"torch {found.newer.name} suits and is newer; torch_version: newest takes it",)
    said = []
    choice, conda, cpu = found.choice, found.conda, found.cpu
    if choice is None and (found.wish.versions or found.wish.tag):
        free = resolve(found.machine, Wish(), found.table).choice
        said += [f"torch {free.name} suits ({needs(free)})"] if free else []
    if conda is not None and conda != choice and (choice is None or Version(conda.torch) > Version(choice.torch)):
        said.append(f"conda-forge has torch {conda.torch} for CUDA {conda.cuda} ({needs(conda)})")
    if choice is None and cpu is not None and found.wish.tag != CPU:
        said.append(f"without a GPU, torch {cpu.name} ({needs(cpu)})")
    return tuple(said)


def as_values(found: Resolution) -> dict[str, Any]:
    """What is to be said of `found`, by name, for those who build on it."""
    return {
        "why": why(found),
        "rejected": [f"{', '.join(group.builds)}: {'; '.join(group.reasons)}" for group in groups(found.rejected)],
        "alternatives": list(alternatives(found)),
        "notes": list(notes(found)),
    }


def refusal(found: Resolution, *, cpu_allowed: bool) -> str:
    """Why nothing suits, what there is, and what to try; several lines."""
    said = as_values(found)
    lines = [said["why"]]
    if found.machine.driver or found.wish.tag == CPU:  # else all have the same reason, and it has just been said
        lines += [f"  {line}" for line in said["rejected"]]
    lines += [f"what there is: {line}" for line in said["alternatives"]]
    if found.cpu is not None and found.wish.tag != CPU and not cpu_allowed:
        lines.append("fallback: cpu takes the build for the CPU instead (torch_fallback in the role torch)")
    return "\n".join(lines)
