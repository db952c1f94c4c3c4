"""Compiles the Python files of a package that is being made."""

from __future__ import annotations

import sys
from pathlib import Path

from scupi_provision.errors import ProvisionError
from scupi_provision.lab.controller import run_here

_TIMEOUT_S = 300


def compile_below(root: Path) -> None:
    """Put bytecode beside every Python file below `root`, valid wherever and whenever the files are linked.

    Raises:
        ProvisionError: The compiler itself failed; files that are no valid Python are left out silently.
    """
    # A hash that is not checked instead of a time: linking by copy does not keep times.
    options = ["-qq", "-j", "0", "--invalidation-mode", "unchecked-hash", "-s", str(root)]
    command = [sys.executable, "-m", "compileall", *options, str(root)]
    ran = run_here(command, directory=root, timeout_s=_TIMEOUT_S)
    if ran.status not in {0, 1}:  # 1: some file is meant not to compile (a template, a test of errors)
        raise ProvisionError("the lab cannot compile Python files for its conda channel", detail=ran.tail)
