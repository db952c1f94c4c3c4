"""A program that stops or fails another at any of its changes, and a home that is changed in every way."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

_HERE = Path(__file__).parent
# reference.py, real_plays.py and plays.py, whatever pytest's import mode
sys.path[:0] = [str(_HERE), str(_HERE.parent / "run"), str(_HERE.parent / "plan")]

from reference import Reference  # noqa: E402 - found by the path above


@pytest.fixture
def every_fault() -> bool:
    """Whether every fault is injected at every point: some minutes, with PROVISION_EVERY_FAULT=1 in the environment."""
    return bool(os.environ.get("PROVISION_EVERY_FAULT"))


@pytest.fixture(scope="session")
def killat(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The fault injector, compiled."""
    if sys.platform != "linux" or platform.machine() != "x86_64":
        pytest.skip("killat needs Linux on x86-64")
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("killat needs a C compiler")
    program = tmp_path_factory.mktemp("killat") / "killat"
    subprocess.run([compiler, "-O2", "-Wall", "-Wextra", "-Werror", "-o", program, _HERE / "killat.c"], check=True)
    return program


@pytest.fixture
def reference(tmp_path: Path) -> Iterator[Reference]:
    """The home before, the play that changes it, and how it is afterwards."""
    made = Reference(tmp_path)
    yield made
    made.close()
