"""The probe with real torch, on the CPU: the wheels are those of the lab."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from scupi_provision.gpu import probe
from scupi_provision.lab.layout import lab_layout
from scupi_provision.lab.torch_source import torch_source

pytestmark = pytest.mark.real

FOLDER = Path(probe.__file__).parent


@pytest.mark.slow
def test_real_torch_multiplies_measures_and_adds_up(tmp_path):
    """Every number is there, and two processes agree on a sum by gloo."""
    source = torch_source(lab_layout().cache, print)
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "env"], check=True)
    python = tmp_path / "env/bin/python"
    options = ["--no-index", "--find-links", source.wheels, f"torch=={source.version}"]
    subprocess.run([python, "-m", "pip", "install", "-q", *options], check=True)
    command = [python, "-B", FOLDER, "--allow-cpu", "no GPU here", "--bench", "--all-reduce"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    report = json.loads(done.stdout)
    (test,) = report["tests"]
    assert (report["device"], report["agreement"]) == ("cpu", "within 1e-3 of the reference")
    assert report["stand_in"] == "no GPU here: torch ran on the CPU"
    assert all(speed["tflops"] > 0 for speed in test["bench"]["matmul"].values())
    assert test["bench"]["memory"]["gigabytes_per_second"] > 0
    assert (report["all_reduce"]["backend"], report["all_reduce"]["problem"]) == ("gloo", None)
