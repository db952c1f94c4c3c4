"""Sessions in every shell that a cluster may have as /bin/sh, with GNU coreutils and with busybox alone."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from scupi_provision.run.session import Session
from scupi_provision.transport.local import LocalChannel, LocalTransport

sys.path.insert(0, str(Path(__file__).parent.parent))  # whatever pytest's import mode

SHELLS = ("dash", "bash", "mksh", "busybox")


@dataclass
class InShell:
    """A local transport whose shell is `shell`, with `tools` first on its PATH."""

    inner: LocalTransport
    shell: str
    tools: str

    @property
    def alive(self) -> bool:
        return self.inner.alive

    def open_shell(self, command: str) -> LocalChannel:
        command = command.replace("exec /bin/sh ", f"exec {self.shell} ", 1)
        return self.inner.open_shell(command.replace("PATH=/usr/bin:/bin:", f"PATH={self.tools}:", 1))

    def close(self) -> None:
        self.inner.close()


@pytest.fixture(params=SHELLS)
def shell(request: pytest.FixtureRequest) -> str:
    """The name of a shell."""
    if shutil.which(request.param) is None:
        pytest.skip(f"{request.param} is not installed")
    return str(request.param)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """An empty home with an awkward name."""
    home = tmp_path / "it's a home"
    home.mkdir()
    return home


@pytest.fixture
def session(shell: str, home: Path, request: pytest.FixtureRequest) -> Iterator[Session]:
    """An open session in that shell."""
    tools, program = "/usr/bin:/bin", f"/bin/{shell}"
    if shell == "busybox":
        tools = str(request.getfixturevalue("applets"))
        program = f"{tools}/ash"
    environment = {"HOME": str(home), "PATH": os.environ["PATH"], "SHELL": "/bin/bash", "LANG": "C.UTF-8", "USER": "me"}
    transport = InShell(LocalTransport(environment), program, tools)
    session = Session(transport, run_id="run-1", owner="tests")
    yield session
    session.close()
    transport.close()
