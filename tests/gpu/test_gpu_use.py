"""Who is on which GPU, asked by plain sh in every shell: the same as the probe sees."""

from __future__ import annotations

import os
import subprocess
from dataclasses import replace

import pytest
from replayer import NAMES, gpu, install, recorded
from scupi_provision.gpu.node import gpu_node, inventory_of
from scupi_provision.gpu.probe.inventory import take_inventory
from scupi_provision.gpu.probe.processes import Processes
from scupi_provision.shell.program import gpu_use, prelude

pytestmark = pytest.mark.real

_ASK = 'p_put() { printf %s "$1"; }\nP_PATH=$PATH P_LANG=C P_UMASK=022\nexec 3>&1\n'


@pytest.fixture
def look(shell, tmp_path, monkeypatch):
    """`look(record)`: the inventory as it arrives at the controller."""

    def look(record):
        monkeypatch.setenv("PATH", f"{install(record, tmp_path / 'bin')}:{os.environ['PATH']}")
        program = _ASK + prelude("NONCE", "run") + gpu_use()
        done = subprocess.run([*shell, "-c", program], capture_output=True, check=True, timeout=60)
        assert done.stderr == b""
        lines = [line.split(" ", 4)[3:] for line in done.stdout.decode().splitlines()]
        return inventory_of((name, value) for name, value in lines)

    return look


@pytest.mark.parametrize("name", NAMES)
def test_it_sees_what_the_probe_sees(look, name):
    assert look(recorded(name)) == replace(take_inventory(Processes(30)))


def test_whose_the_processes_are_is_told(look):
    """As far as the node shows it: process 7777777 is hidden, or gone."""
    uuid = gpu(0)["uuid"]
    record = {"gpus": [gpu(0)], "apps": f"{uuid}, {os.getpid()}, python, 400\n{uuid}, 7777777, a, b *, [N/A]\n"}
    (card,) = look(record).gpus
    owner = subprocess.run(["id", "-un"], capture_output=True, text=True, check=True).stdout.strip()
    assert [(one.user, one.program) for one in card.processes] == [(owner, "python"), ("", "a, b *")]


def test_a_node_chooses_as_gpu_python_does(look):
    record = {"gpus": [gpu(0), gpu(1)], "apps": f"{gpu(0)['uuid']}, 7777777, python, 400\n"}
    node = gpu_node("gpu2", "510.47.03", "11.6", look(record))
    assert node.chosen is not None
    assert (node.chosen.uuid, node.chosen.obstacle) == (gpu(1)["uuid"], "")
    assert node.data["chosen"] == gpu(1)["uuid"]
    assert [one.obstacle for one in node.choice] == ["", "somebody has programs on it"]
