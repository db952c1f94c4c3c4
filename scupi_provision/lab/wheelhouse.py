"""Wheels from wherever pip is configured to find them."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from scupi_provision.errors import ProvisionError
from scupi_provision.lab.controller import Ran, run_here

_TIMEOUT_S = 1800


def download_wheels(requirements: Sequence[str], folder: Path, options: Sequence[str] = ()) -> Ran:
    """Let pip download wheels of `requirements` and of what they need, for the interpreter under ours.

    Args:
        requirements: As pip takes them.
        folder: Where the wheels go; made when it is not there. Its parent must exist.
        options: More options of pip download.

    Raises:
        ProvisionError: There is no pip.
    """
    return run_here(
        [*_pip(), "download", "--only-binary", ":all:", "--dest", str(folder), *options, *requirements],
        directory=folder.parent,
        timeout_s=_TIMEOUT_S,
    )


def _pip() -> list[str]:
    """Pip of our environment, or of the interpreter under it (some tools make environments without pip)."""
    base = getattr(sys, "_base_executable", sys.executable)
    for interpreter in (sys.executable, base):
        if run_here([interpreter, "-m", "pip", "--version"], directory=Path("/"), timeout_s=60).status == 0:
            return [interpreter, "-m", "pip", "--disable-pip-version-check", "--no-input"]
    raise ProvisionError("the lab needs pip to fetch wheels", hint=f"run `{sys.executable} -m ensurepip`")
