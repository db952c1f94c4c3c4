"""The rules of tests/conftest.py, proved on a test suite of their own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.fixture
def suite(tmp_path):
    """`suite(text, ci=…)`: the exit status and output of pytest on a module with this text."""
    shutil.copy(Path(__file__).with_name("conftest.py"), tmp_path)
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers =\n    lab\n    slow\n")

    def run(text: str, *, ci: bool = False) -> tuple[int, str]:
        (tmp_path / "test_it.py").write_text(text)
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "PROVISION"))
        }
        environment |= {"PROVISION_CI": "1"} if ci else {}
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-p", "no:cacheprovider"],
            cwd=tmp_path, env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        return done.returncode, done.stdout

    return run


SKIPS = {
    "test": "import pytest\ndef test(): pytest.skip('no busybox here')\n",
    "module": "import pytest\npytest.skip('no busybox here', allow_module_level=True)\n",
    "mark": "import pytest\n@pytest.mark.skipif(True, reason='no busybox here')\ndef test(): pass\n",
}


@pytest.mark.parametrize("text", SKIPS.values(), ids=SKIPS)
def test_a_skip_fails_in_ci(suite, text):
    status, output = suite(text, ci=True)
    assert status != 0
    assert "skipped, which CI does not accept: no busybox here" in output


@pytest.mark.parametrize("text", [SKIPS["test"], SKIPS["mark"]])
def test_a_skip_is_fine_elsewhere(suite, text):
    assert suite(text)[0] == 0


def test_ci_has_no_gpu_and_may_say_so(suite):
    assert suite("import pytest\ndef test(): pytest.skip('needs a GPU: none here')\n", ci=True)[0] == 0


CONNECTS = """
import socket
def test():
    try:
        socket.create_connection((HOST, 9), timeout=0.1)
    except OSError:
        pass  # as code does that copes with a network out of reach
"""


@pytest.mark.parametrize("host", ["192.0.2.1", "2001:db8::1"])
def test_talking_to_another_machine_fails(suite, host):
    """Even where the code under test swallows the error."""
    status, output = suite(f"HOST = {host!r}{CONNECTS}")
    assert status != 0
    assert f"tried to connect to {host} port 9" in output


@pytest.mark.parametrize("host", ["127.0.0.1", "127.3.2.1", "localhost"])
def test_talking_to_this_machine_is_fine(suite, host):
    assert suite(f"HOST = {host!r}{CONNECTS}")[0] == 0
