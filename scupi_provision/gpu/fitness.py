"""Why a build of torch does not suit a machine."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from packaging.version import Version

from scupi_provision.gpu.capability import Capability, can_be_translated, runs_as_it_is
from scupi_provision.gpu.machine import Machine, Wish
from scupi_provision.gpu.torch_builds import Build, Table

Kind = Literal["pin", "driver", "arch", "glibc", "python", "companion", "unsure", "order"]


@dataclass(frozen=True)
class Reason:
    """Why a build is not taken.

    Attributes:
        kind: What is in its way; "order" when nothing is, and another one suits better.
        words: The reason for people, a clause without a full stop.
    """

    kind: Kind
    words: str


def unfitness(build: Build, machine: Machine, wish: Wish, table: Table) -> tuple[Reason, ...]:
    """What speaks against `build`; empty when it can be had and will run.

    Of a build that is not asked for it is not said what it needs, nor of one that does not suit what is not certain.
    """
    for judges in ((_pin,), (_driver, _arch, _glibc, _python, _companions), (_unsure,)):
        found = tuple(reason for judge in judges for reason in judge(build, machine, wish, table))
        if found:
            return found
    return ()


def known_cuda(machine: Machine, table: Table) -> str:
    """The CUDA that the machine's driver supports itself: as it says, or at least; "" without a driver."""
    return machine.cuda or (table.cuda_of(machine.driver) if machine.driver else "")


def _pin(build: Build, _machine: Machine, wish: Wish, _table: Table) -> Iterator[Reason]:
    if not wish.versions.contains(Version(build.torch)):
        yield Reason("pin", f"torch {wish.versions} is asked for")
    if wish.tag and build.tag != wish.tag:
        yield Reason("pin", f"{wish.tag} is asked for")


def _driver(build: Build, machine: Machine, _wish: Wish, _table: Table) -> Iterator[Reason]:
    if not build.driver:
        return
    if not machine.driver or Version(machine.driver) < Version(build.driver):
        family = build.cuda.partition(".")[0]
        here = f"here it is {machine.driver}" if machine.driver else "here is none"
        yield Reason("driver", f"CUDA {family} needs driver {build.driver}; {here}")


def _arch(build: Build, machine: Machine, _wish: Wish, table: Table) -> Iterator[Reason]:
    if not build.cuda:
        return
    for gpu in machine.capabilities:
        words = _without_code(build, gpu, known_cuda(machine, table))
        if words:
            yield Reason("arch", words)


def _without_code(build: Build, gpu: Capability, knows: str) -> str:
    """Why `build` does not run on `gpu` under a driver that knows CUDA `knows`; "" when it does.

    PTX is outside of minor version compatibility: a driver translates only what is not newer than itself.
    Source: NVIDIA, CUDA Compatibility, minor version compatibility, limitations.
    """
    if runs_as_it_is(build.codes, gpu):
        return ""
    if not can_be_translated(build.codes, gpu):
        return f"no code for compute capability {gpu} (only for {' '.join(map(str, build.codes))})"
    if knows and Version(knows) >= Version(build.cuda):
        return ""
    return (
        f"compute capability {gpu} is served by PTX only, which needs a driver that knows CUDA {build.cuda} itself;"
        f" this one knows {knows or 'none'}"
    )


def _glibc(build: Build, machine: Machine, _wish: Wish, _table: Table) -> Iterator[Reason]:
    if machine.glibc and Version(machine.glibc) < Version(build.glibc):
        yield Reason("glibc", f"needs glibc {build.glibc}; here it is {machine.glibc}")


def _python(build: Build, machine: Machine, _wish: Wish, _table: Table) -> Iterator[Reason]:
    first, last = build.python
    if machine.python and not Version(first) <= Version(machine.python) <= Version(last):
        yield Reason("python", f"is made for Python {first} to {last}; here it is {machine.python}")


def _companions(build: Build, _machine: Machine, wish: Wish, _table: Table) -> Iterator[Reason]:
    yield from (Reason("companion", why) for name, why in build.lacks if name in wish.companions)


def _unsure(build: Build, _machine: Machine, wish: Wish, _table: Table) -> Iterator[Reason]:
    asked = wish.unsure or (wish.exact and wish.tag)
    if build.unsure and not asked:
        yield Reason("unsure", f"not certain: {build.unsure}")
