"""One lab without sources for all tests of this folder, and an SSH client that checks its host keys."""

import asyncio
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import asyncssh
import pytest

sys.path.insert(0, str(Path(__file__).parent))  # pytest imports test files one by one, without their neighbours

from scupi_provision.lab.commands import down, reset, up


@pytest.fixture(scope="session")
def lab(tmp_path_factory):
    directory = tmp_path_factory.mktemp("lab") / "lab"
    yield up(directory=directory, with_sources=False)
    reset(directory=directory)


@pytest.fixture
def own_lab(tmp_path):
    """A lab that a test may stop or break."""
    directory = tmp_path / "lab"
    yield up(directory=directory, with_sources=False)
    down(directory=directory)


@pytest.fixture(scope="session")
def connected():
    """`async with connected(lab, host) as connection`: a login by way of admin1."""
    return _connected


@pytest.fixture(scope="session")
def run():
    """`run(lab, command, host)`: the completed process, with bytes for its outputs."""
    return _run


@pytest.fixture(scope="session")
def text():
    """`text(lab, command, host)`: the standard output of a command."""
    return lambda lab, command, host="admin1": _run(lab, command, host).stdout.decode()


@asynccontextmanager
async def _connected(lab, host="admin1"):
    options = {
        "username": lab.user,
        "client_keys": [str(lab.key_file)],
        "known_hosts": str(lab.known_hosts),
        "agent_path": None,
        "config": None,
    }
    async with asyncssh.connect("127.0.0.1", lab.admin_port, **options) as admin:
        if host == "admin1":
            yield admin
            return
        async with asyncssh.connect(host, 22, tunnel=admin, **options) as node:
            yield node


def _run(lab, command, host="admin1", stdin=b"", **options):
    async def session():
        async with _connected(lab, host) as connection:
            return await connection.run(command, input=stdin, encoding=None, **options)

    return asyncio.run(asyncio.wait_for(session(), 60))
