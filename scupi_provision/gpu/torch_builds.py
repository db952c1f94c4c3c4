"""The table of PyTorch builds (torch_builds.yaml) as values."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from packaging.version import Version

from scupi_provision.gpu.capability import Code

if TYPE_CHECKING:
    from scupi_provision.gpu.torch_table import Deviation, Series, TableFile

CPU = "cpu"
"""The tag of builds without CUDA."""
CONDA_FORGE: Final = "conda-forge"


@dataclass(frozen=True)
class Build:
    """One build of torch, and what it needs.

    Attributes:
        torch: Its version, without a local part.
        tag: The name of its index, such as "cu118" or "cpu"; for conda-forge made in the same way.
        channel: Where it is had: pip's indexes, or conda-forge.
        cuda: The CUDA that it was built with, such as "11.8"; "" for the CPU.
        driver: The oldest NVIDIA driver for it; "" for the CPU.
        glibc: The oldest C library for it.
        python: The first and the last Python that it is built for, both inclusive.
        codes: The compute capabilities that its binaries hold.
        torchvision: The version that goes with it; "" on conda-forge, where the solver knows.
        torchaudio: As torchvision.
        lacks: Companions that its index does not have, each with why that is thought.
        unsure: Why it is not certain that there is such a build or what it needs; "" when it is.
        note: What is worth saying when it is chosen.
        audio_note: What is worth saying when torchaudio is wanted beside it.
        vision_note: As audio_note.
        sources: Names of the table's sources for it.
    """

    torch: str
    tag: str
    channel: Literal["pip", "conda-forge"]
    cuda: str
    driver: str
    glibc: str
    python: tuple[str, str]
    codes: tuple[Code, ...] = ()
    torchvision: str = ""
    torchaudio: str = ""
    lacks: tuple[tuple[str, str], ...] = ()
    unsure: str = ""
    note: str = ""
    audio_note: str = ""
    vision_note: str = ""
    sources: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """`2.6.0+cu118`, as pip says it; `2.13.0 (conda-forge, CUDA 12.9)`."""
        if self.channel == CONDA_FORGE:
            return f"{self.torch} (conda-forge, CUDA {self.cuda})"
        return f"{self.torch}+{self.tag}"


@dataclass(frozen=True)
class Family:
    """A CUDA family: every driver from `driver` on runs it, and itself knows at least CUDA `cuda`."""

    cuda: str
    driver: str

    @property
    def major(self) -> int:
        """The number that all its toolkits begin with."""
        return Version(self.cuda).major


@dataclass(frozen=True)
class Table:
    """Everything known of PyTorch's builds.

    Attributes:
        as_of: The day of the last look at the sources.
        builds: Those of pip's indexes, the CPU's too; the newest torch first, within it the newest CUDA.
        conda: Those of conda-forge, in the same order.
        families: CUDA families, the oldest first.
        numpy_before: A torch before this version needs `numpy_pin`.
        numpy_pin: As a requirement.
        wheels_glibc: On an older C library than this, pip must not build packages.
        sources: What the names of sources mean, in words.
    """

    as_of: str
    builds: tuple[Build, ...]
    conda: tuple[Build, ...]
    families: tuple[Family, ...]
    numpy_before: str
    numpy_pin: str
    wheels_glibc: str
    sources: dict[str, str]

    @property
    def newest(self) -> str:
        """The newest torch of pip's indexes."""
        return self.builds[0].torch

    def tags(self) -> tuple[str, ...]:
        """Everything that a build may be asked from: the tags of pip's indexes, and conda-forge."""
        return (*sorted({build.tag for build in self.builds}, key=lambda tag: (len(tag), tag)), CONDA_FORGE)

    def driver_for(self, cuda: str) -> str:
        """The oldest driver that runs what was built with `cuda` (minor version compatibility)."""
        return next(family.driver for family in self.families if family.major == Version(cuda).major)

    def cuda_of(self, driver: str) -> str:
        """The CUDA that `driver` knows at least, or "" for one that is older than all families."""
        known = [family.cuda for family in self.families if Version(family.driver) <= Version(driver)]
        return known[-1] if known else ""


@lru_cache(maxsize=1)
def torch_builds() -> Table:
    """The table that comes with the package."""
    from scupi_provision.gpu.torch_table import read_table  # noqa: PLC0415 - reading YAML only where it is needed

    file = read_table(Path(__file__).with_name("torch_builds.yaml"))
    bare = Table(
        as_of=file.as_of,
        builds=(),
        conda=(),
        families=tuple(Family(family.cuda, family.driver) for family in file.families),
        numpy_before=file.numpy.before_torch,
        numpy_pin=file.numpy.pin,
        wheels_glibc=file.wheels_glibc,
        sources={name: f"{source.what} ({source.mark})" for name, source in file.sources.items()},
    )
    wheels = [build for series in file.series for build in _wheels(series, file, bare)]
    return replace(bare, builds=_newest_first(wheels), conda=_newest_first(list(_conda(file, bare))))


def _newest_first(builds: list[Build]) -> tuple[Build, ...]:
    return tuple(sorted(builds, key=lambda build: (Version(build.torch), Version(build.cuda or "0")), reverse=True))


def _wheels(series: Series, file: TableFile, table: Table) -> Iterator[Build]:
    for torch, (torchvision, torchaudio) in series.versions.items():
        for tag in (CPU, *series.tags):
            own: Deviation | None = series.exceptions.get(tag)
            variant = file.variants[tag]
            codes = own.archs if own and own.archs else variant.archs
            yield Build(
                torch=torch,
                tag=tag,
                channel="pip",
                cuda=variant.cuda,
                driver=table.driver_for(variant.cuda) if variant.cuda else "",
                glibc=own.glibc if own and own.glibc else series.glibc,
                python=series.python,
                codes=tuple(map(Code.parse, codes)),
                torchvision=torchvision,
                torchaudio=torchaudio,
                unsure=own.unsure if own else "",
                lacks=tuple(variant.lacks.items()),
                note=series.note if tag != CPU else "",
                audio_note=series.audio_note,
                vision_note=series.vision_note,
                sources=(*series.sources, *filter(None, ((own.source if own else "") or variant.source,))),
            )


def _conda(file: TableFile, table: Table) -> Iterator[Build]:
    for row in file.conda_forge:
        yield Build(
            torch=row.torch,
            tag=f"cu{row.cuda.replace('.', '')}",
            channel=CONDA_FORGE,
            cuda=row.cuda,
            driver=table.driver_for(row.cuda),
            glibc=row.glibc,
            python=row.python,
            codes=tuple(map(Code.parse, row.archs)),
            sources=(row.source,),
        )
