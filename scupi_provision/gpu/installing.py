"""What a package manager is told to install a chosen build with its companions."""

from __future__ import annotations

import re
from collections.abc import Sequence

from packaging.version import Version

from scupi_provision.gpu.machine import Machine, Wish
from scupi_provision.gpu.torch_builds import Build, Table

UPSTREAM = "https://download.pytorch.org/whl"
"""PyTorch's own indexes are below this address, by tag."""

_NAME = re.compile(r"[A-Za-z0-9._-]+")


def pip_requirements(build: Build, wish: Wish, table: Table, *, local: bool = True) -> tuple[str, ...]:
    """Requirements for pip: torch exactly, its companions in the versions that go with it, and numpy's pin.

    Args:
        build: The choice.
        wish: Its companions; torchvision and torchaudio without a version of their own get the one that fits.
        table: Where `build` is from.
        local: Whether versions have a local part (`+cu118`); those of macOS have none.
    """
    own = {"torchvision": build.torchvision, "torchaudio": build.torchaudio}
    companions = [f"{name}=={own[name]}" if own.get(name) else name for name in wish.companions]
    old = Version(build.torch) < Version(table.numpy_before)
    pinned = any(_is_numpy(name) for name in wish.companions)
    return (
        f"torch=={own_version(build, local=local)}",
        *companions,
        *([table.numpy_pin] if old and not pinned else []),
    )


def own_version(build: Build, *, local: bool = True) -> str:
    """What `torch.__version__` says once it is installed; conda-forge adds nothing (pytorch-cpu-feedstock#315)."""
    return f"{build.torch}+{build.tag}" if local and build.channel == "pip" else build.torch


def _is_numpy(requirement: str) -> bool:
    match = _NAME.match(requirement)
    return match is not None and match[0].lower() == "numpy"


def only_binary(machine: Machine, table: Table) -> bool:
    """Whether pip must not build: on an old C library it would begin to, for newer numpy, triton and others."""
    return bool(machine.glibc) and Version(machine.glibc) < Version(table.wheels_glibc)


def index_urls(tag: str, prefixes: Sequence[str] = ()) -> tuple[str, ...]:
    """Addresses of the index `tag` below each prefix, upstream's when there is none."""
    return tuple(f"{prefix.rstrip('/')}/{tag}" for prefix in prefixes or (UPSTREAM,))


def conda_packages(build: Build, wish: Wish) -> tuple[str, ...]:
    """What a conda environment has to declare for a build of conda-forge; its solver finds the companions' versions."""
    return (f"pytorch={build.torch}={conda_string(build)}*", *wish.companions)


def conda_string(build: Build) -> str:
    """How the build strings of conda-forge's pytorch begin, such as "cuda129_" (pytorch-2.13.0-cuda129_mkl_py314_…)."""
    return f"cuda{build.tag.removeprefix('cu')}_"
