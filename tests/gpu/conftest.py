"""For tests of the GPU room: the stand-in for nvidia-smi, and every shell that a cluster may have."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # replayer.py, whatever pytest's import mode

SHELLS = {"dash": ["dash"], "bash": ["bash"], "mksh": ["mksh"], "busybox": ["busybox", "sh"]}


@pytest.fixture(params=SHELLS)
def shell(request: pytest.FixtureRequest) -> list[str]:
    """The command of a shell."""
    name, *rest = SHELLS[request.param]
    program = shutil.which(name)
    if program is None:
        pytest.skip(f"{name} is not installed")
    return [program, *rest]
