"""Where things are: the installation, its environments, the package caches."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from .errors import CondaError


def root_prefix() -> Path:
    """The installation that this program belongs to."""
    return Path(sys.prefix)


def package_caches() -> list[Path]:
    """Where packages are unpacked before they are linked; the first is written to."""
    configured = os.environ.get("CONDA_PKGS_DIRS", "")
    return [Path(path).expanduser() for path in configured.split(",") if path] or [root_prefix() / "pkgs"]


def environment(name: str) -> Path:
    """An environment by name, or by a path when there is a slash in it.

    Raises:
        CondaError: There is none.
    """
    if name in {"base", "root"}:
        return root_prefix()
    path = Path(name).expanduser().absolute() if "/" in name else root_prefix() / "envs" / name
    if not is_environment(path):
        kind = "EnvironmentLocationNotFound" if "/" in name else "EnvironmentNameNotFound"
        raise CondaError(kind, f"Could not find conda environment: {name}")
    return path


def is_environment(prefix: Path) -> bool:
    """Whether conda made what is there."""
    return (prefix / "conda-meta/history").is_file()


def remember(prefix: Path) -> None:
    """Note an environment in the person's list, as conda does."""
    if os.environ.get("CONDA_REGISTER_ENVS", "").lower() in {"0", "false", "no", "off"}:
        return
    register = Path.home() / ".conda/environments.txt"
    try:
        known = register.read_text(encoding="utf-8").splitlines() if register.is_file() else []
        if str(prefix) not in known:
            register.parent.mkdir(exist_ok=True)
            register.write_text("".join(f"{line}\n" for line in [*known, prefix]), encoding="utf-8")
    except OSError as error:
        print(f"WARNING: cannot note the environment in {register}: {error.strerror}", file=sys.stderr)
