"""What is known of a host's GPUs, from recorded outputs of nvidia-smi and of the kernel's module, in every shell."""

from __future__ import annotations

import os
import subprocess
import time

import pytest
from replayer import NAMES, gpu, install, recorded
from scupi_provision.host.facts import Facts
from scupi_provision.shell.program import prelude

pytestmark = pytest.mark.real

_ASK = 'p_put() { printf %s "$1"; }\nP_PATH=$PATH P_LANG=C P_UMASK=022\nexec 3>&1\n'


@pytest.fixture
def facts(shell, tmp_path):
    """`facts(record)`: what `facts.sh` reads of a node with these GPUs, as it arrives at the controller."""

    def read(record, limit="20") -> Facts:
        for name, text in record.get("module", {}).items():
            path = tmp_path / "module" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        program = prelude("NONCE", "run").replace("P_SMI_LIMIT=20", f"P_SMI_LIMIT={limit}")
        program = program.replace("/proc/driver/nvidia", str(tmp_path / "module")).replace(
            "/sys/module/nvidia", "/none"
        )
        smi = install(record, tmp_path / "bin")
        done = subprocess.run(
            [*shell, "-c", f"{_ASK}{program}p_nvidia\n"],
            env={"PATH": f"{smi}:{os.environ['PATH']}", "HOME": str(tmp_path)},
            capture_output=True,
            check=True,
            timeout=60,
        )
        assert done.stderr == b""
        lines = [line.split(" ", 4) for line in done.stdout.decode().splitlines()]
        assert [line[:3] for line in lines] == [["NONCE", str(n + 1), "fact"] for n in range(len(lines))]
        return Facts({name: value for _, _, _, name, value in lines})

    return read


@pytest.mark.parametrize("name", NAMES)
def test_recorded_outputs_are_understood(facts, name):
    record = recorded(name)
    variables = facts(record).variables()
    assert {key: variables[key] for key in record["facts"]} == record["facts"]
    assert variables["gpu_count"] == len(record["facts"]["gpus"])


def test_a_node_without_a_driver_has_no_gpus(facts):
    """As every login node: nothing is there, nothing is said."""
    assert facts({"gpus": []}).variables()["gpus"] == []


def test_an_nvidia_smi_that_hangs_does_not_hold_the_run_up(facts, tmp_path):
    """What the other question brings is kept, and the module tells what it knows."""
    started = time.monotonic()
    found = facts({**recorded("l4-module-only"), "gpus": [gpu(0)], "hangs": ["--query-gpu"]}, limit="1")
    assert time.monotonic() - started < 10
    assert [card.name for card in found.gpus] == ["NVIDIA L4"]
    found = facts({"gpus": [gpu(0)], "hangs": [""], "table": "CUDA Version: 12.2\n"}, limit="1")
    assert [card.compute_cap for card in found.gpus] == ["8.0"]
    assert found.variables()["cuda_driver"] == ""


@pytest.mark.parametrize(
    ("name", "capability"),
    [
        ("Tesla K80", "3.7"), ("Tesla K40m", "3.5"), ("Tesla P100-PCIE-16GB", "6.0"), ("Tesla P40", "6.1"),
        ("GeForce GTX 1080 Ti", "6.1"), ("Tesla V100-SXM2-32GB", "7.0"), ("Quadro RTX 6000", ""), ("Tesla T4", "7.5"),
        ("A100-SXM4-40GB", "8.0"), ("NVIDIA A100 80GB PCIe", "8.0"), ("NVIDIA A10", "8.6"), ("NVIDIA A40", "8.6"),
        ("NVIDIA GeForce RTX 3090", "8.6"), ("NVIDIA L4", "8.9"), ("NVIDIA H100 80GB HBM3", "9.0"), ("Something", ""),
    ],
)  # fmt: skip
def test_old_cards_are_known_by_name(name, capability):
    """For drivers of R470 and before, whose nvidia-smi does not tell."""
    assert Facts({"gpu_0": f"0, GPU-1, {name}, 16160, 470.57.02, [N/A]"}).gpus[0].compute_cap == capability
