"""Which build of torch suits a machine: a pure function over the table."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from packaging.version import Version

from scupi_provision.gpu.fitness import Reason, known_cuda, unfitness
from scupi_provision.gpu.machine import Machine, Wish
from scupi_provision.gpu.torch_builds import CONDA_FORGE, CPU, Build, Table

_Order = tuple[Version, bool, int]


@dataclass(frozen=True)
class Rejection:
    """A build that was passed over, and why."""

    build: Build
    reasons: tuple[Reason, ...]


@dataclass(frozen=True)
class Resolution:
    """What was found.

    Attributes:
        machine: What it was to suit.
        wish: What was wanted.
        table: What it was chosen from.
        choice: The best build of pip's indexes (or of conda-forge, when that is asked for), or None when none suits.
        rejected: Builds of the same kind that would have been better, the newest first, each with why it was not taken.
        conda: The best build of conda-forge, which needs less of the C library, or None.
        cpu: The best build without CUDA, or None.
        newer: With `kept`, the newer build that would be chosen today, or None.
        kept: Whether `choice` is an earlier one that stays.
    """

    machine: Machine
    wish: Wish
    table: Table
    choice: Build | None
    rejected: tuple[Rejection, ...]
    conda: Build | None
    cpu: Build | None
    newer: Build | None = None
    kept: bool = False


def resolve(machine: Machine, wish: Wish, table: Table) -> Resolution:
    """Choose the newest torch that suits `machine`; of its builds the newest CUDA that the driver knows itself."""
    builds = _candidates(wish, table)
    conda, conda_rejected = _best(table.conda, machine, replace(wish, tag=""), table)
    cpu, _ = _best([build for build in builds if build.tag == CPU], machine, replace(wish, tag=CPU), table)
    if wish.tag == CONDA_FORGE:
        return Resolution(machine, wish, table, conda, conda_rejected, conda, cpu)
    of_its_kind = [build for build in builds if (build.tag == CPU) == (wish.tag == CPU)]
    choice, rejected = _best(of_its_kind, machine, wish, table)
    return Resolution(machine, wish, table, choice, rejected, conda, cpu)


def keep(earlier: Wish, today: Resolution, *, cpu_allowed: bool) -> Resolution | None:
    """An earlier choice instead of today's, when it still suits the machine and the wish; else None.

    A newer driver, or a newer table, shall not change an environment in which somebody is at work. A build for the CPU
    that was taken for want of a GPU stays (where that is allowed) until there is one.
    """
    found = resolve(today.machine, earlier, today.table)
    build, wish = found.choice, today.wish
    if build is None or not wish.versions.contains(Version(build.torch)) or wish.tag not in {"", build.tag}:
        return None
    if build.tag == CPU and wish.tag != CPU and not (cpu_allowed and today.choice is None):
        return None
    newer = today.choice if today.choice is not None and _is_newer(today.choice, build) else None
    return replace(found, wish=wish, rejected=(), newer=newer, kept=True)


def _candidates(wish: Wish, table: Table) -> tuple[Build, ...]:
    """The table's builds; for a version that is newer than the table, builds like those of its newest version."""
    if not wish.exact or Version(wish.exact) <= Version(table.newest):
        return table.builds
    note = f"torch {wish.exact} is newer than this table ({table.as_of}); what it needs is taken from {table.newest}"
    newest = [build for build in table.builds if build.torch == table.newest]
    newer = [
        replace(build, torch=wish.exact, torchvision="", torchaudio="", note=note, audio_note="", vision_note="")
        for build in newest
    ]
    return (*newer, *table.builds)


def _best(
    builds: Iterable[Build], machine: Machine, wish: Wish, table: Table
) -> tuple[Build | None, tuple[Rejection, ...]]:
    """The first build in order of preference that suits, and the ones that would have been newer."""
    knows = known_cuda(machine, table)
    ranked = sorted(builds, key=lambda build: _order(build, knows), reverse=True)
    judged = [(build, unfitness(build, machine, wish, table)) for build in ranked]
    choice = next((build for build, reasons in judged if not reasons), None)
    passed = [
        Rejection(build, reasons or (_preferred(build, choice, knows),))
        for build, reasons in judged
        if choice is None or _is_newer(build, choice)
    ]
    return choice, tuple(sorted(passed, key=lambda one: _age(one.build), reverse=True))


def _order(build: Build, knows: str) -> _Order:
    """The newest torch first; then the newest CUDA that the driver knows itself; else the one nearest to it.

    With a CUDA that is newer than the driver's own, minor version compatibility holds, which has limits (PTX).
    """
    cuda = Version(build.cuda or "0")
    within = not build.cuda or (bool(knows) and cuda <= Version(knows))
    number = cuda.major * 100 + cuda.minor
    return Version(build.torch), within, number if within else -number


def _age(build: Build) -> tuple[Version, Version]:
    return Version(build.torch), Version(build.cuda or "0")


def _is_newer(build: Build, choice: Build) -> bool:
    return _age(build) > _age(choice)


def _preferred(build: Build, choice: Build | None, knows: str) -> Reason:
    """Why a newer CUDA of the chosen version was left: it runs, but with limits."""
    name = choice.tag if choice else ""
    driver = f"the driver knows CUDA {knows} itself" if knows else "the driver's own CUDA is not known"
    return Reason("order", f"would run, but {name} is nearer: {driver}, {build.cuda} is newer and has limits there")
