"""Whether this machine can compile git, asked before anything is fetched."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from scupi_provision.errors import ProvisionError
from scupi_provision.lab.controller import run_here


@dataclass(frozen=True)
class BuildNeed:
    """Something that compiling git needs, and the packages that bring it."""

    name: str
    apt: str
    dnf: str
    present: Callable[[], bool]


def _program(*names: str) -> Callable[[], bool]:
    return lambda: any(shutil.which(name) for name in names)


def _has_zlib_header() -> bool:
    if not shutil.which("cc"):
        return True  # cannot be asked; the missing compiler is reported
    check = run_here(["sh", "-c", "echo '#include <zlib.h>' | cc -E -x c -"], directory=Path("/"), timeout_s=60)
    return check.status == 0


BUILD_NEEDS = (
    BuildNeed("cc (a C compiler)", "gcc libc6-dev", "gcc glibc-devel", _program("cc")),
    BuildNeed("make", "make", "make", _program("make")),
    BuildNeed("xz", "xz-utils", "xz", _program("xz")),
    BuildNeed("zlib.h (the header of zlib)", "zlib1g-dev", "zlib-devel", _has_zlib_header),
)

AUTOCONF = BuildNeed("autoconf (this tarball of git has no configure)", "autoconf", "autoconf", _program("autoconf"))


def require_build_tools(needs: tuple[BuildNeed, ...] = BUILD_NEEDS) -> None:
    """Refuse when something is missing.

    Raises:
        ProvisionError: Names everything that is missing, and the command that installs it.
    """
    missing = [need for need in needs if not need.present()]
    if not missing:
        return
    names = ", ".join(need.name for need in missing)
    raise ProvisionError(f"the lab compiles git, and this machine lacks {names}", hint=_installation(missing))


def _installation(missing: list[BuildNeed]) -> str:
    if shutil.which("apt-get"):
        return "sudo apt-get install " + " ".join(need.apt for need in missing)
    if shutil.which("dnf"):
        return "sudo dnf install " + " ".join(need.dnf for need in missing)
    if shutil.which("xcode-select"):
        return "xcode-select --install"
    return "install them with this system's package manager"
