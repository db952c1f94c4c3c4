"""From a downloaded key to a notebook on the GPU node: each step one command, in the order in which a student types."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # served.py, whatever pytest's import mode

from newcomer import Newcomer
from served import Served

pytestmark = pytest.mark.slow

CLUSTER = """\
# Ours.
all:
  vars:
    torch_cpu_reason: no GPU in the lab
    sources_pip: ["find-links:{home}/wheels"]
  hosts:
    admin1: {{ansible_host: {address}, ansible_port: {port}}}   # the login node
    gpu2: {{via: admin1}}
"""


@pytest.fixture
def lab(start):
    """Nodes on which nobody has been before."""
    return start()


@pytest.fixture
def downloaded(lab, tmp_path):
    """What the cluster's web page does: the account gets an RSA key, and the browser saves the private half."""
    key = tmp_path / "home/Downloads/id_rsa"
    key.parent.mkdir(parents=True)
    command = ["ssh-keygen", "-q", "-t", "rsa", "-b", "2048", "-m", "PEM", "-N", "", "-C", "portal", "-f", key]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    key.chmod(0o644)
    with (lab.home / ".ssh/authorized_keys").open("ab") as authorized:
        authorized.write(key.with_suffix(".pub").read_bytes())
    return key


@pytest.fixture
def student(lab, tmp_path, bare_environment):
    """Somebody with a home of their own and the cluster's inventory, without an account in it."""
    bare_environment(lab, "torch")
    (tmp_path / "home").mkdir(exist_ok=True)
    text = CLUSTER.format(home=lab.account_home, address=lab.admin_address, port=lab.admin_port)
    (tmp_path / "inventory.yaml").write_text(text)
    return Newcomer(tmp_path / "home", lab.directory, tmp_path)


def test_from_a_downloaded_key_to_a_notebook(lab, student, downloaded):
    added = student.run("inventory", "add", lab.user, "--key", downloaded, "--yes")
    assert added.code == 0, added
    assert "works on admin1 and gpu2" in added.stdout

    config = student.home / ".ssh/config"
    written = student.run("ssh-config", "--write", config)
    assert written.code == 0, written
    ssh = shutil.which("ssh") or pytest.fail("openssh-client is missing")
    plain = [ssh, "-F", config, "-o", "BatchMode=yes", "scupi-gpu2", "hostname"]
    assert subprocess.run(plain, check=True, capture_output=True, text=True, timeout=60).stdout == "gpu2\n"

    vscode = student.run("vscode")
    assert vscode.code == 0, vscode
    assert "all is well" in vscode.stdout

    serving = Served(student, "--yes")
    assert serving.notebook.execute("import os; print(os.uname().nodename, 6 * 7)") == "gpu2 42\n"
    serving.leave()
    assert student.run("jupyter", "--stop").code == 0

    doctor = student.run("doctor")
    assert doctor.code == 0, doctor
    assert "all is well" in doctor.stdout
