"""The role torch, planned on this machine for a GPU node whose facts are told."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

INVENTORY = "all:\n  hosts:\n    here: {ansible_connection: local}\n"
PLAYBOOK = """\
- hosts: here
  roles:
    - role: torch
      torch_gpu_host: here
      torch_env: ~/env
"""
NODE = {"nvidia_driver": "510.47.03", "cuda_driver": "11.6", "compute_caps": ["8.0"], "glibc": "2.17"}


@pytest.fixture
def site(tmp_path: Path) -> Path:
    (tmp_path / "inventory.yaml").write_text(INVENTORY)
    (tmp_path / "site.yaml").write_text(PLAYBOOK)
    environment = tmp_path / "home/env"
    (environment / "lib/python3.11/site-packages").mkdir(parents=True)
    (environment / "pyvenv.cfg").write_text("version = 3.11.7\n")
    return tmp_path


def check(site: Path, **variables: object) -> subprocess.CompletedProcess[str]:
    told = {"torch_gpu_facts": NODE, "torch_compute_caps": NODE["compute_caps"], **variables}
    command = [sys.executable, "-m", "scupi_provision", "check", "site.yaml", "-v", "-e", json.dumps(told)]
    environment = {**os.environ, "HOME": str(site / "home")}
    return subprocess.run(command, cwd=site, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.real
def test_the_newest_that_suits_is_planned_and_explained(site: Path) -> None:
    done = check(site)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "would change  torch : Install torch 2.6.0+cu118" in done.stdout
    assert (
        "torch 2.6.0+cu118 is the newest for driver 510.47.03 (knows CUDA 11.6), compute capability 8.0" in done.stdout
    )
    assert "2.7.0 to 2.7.1 (cu118): needs glibc 2.28; here it is 2.17" in done.stdout


@pytest.mark.real
def test_the_gpus_that_one_uses_may_be_fewer_than_there_are(site: Path) -> None:
    node = {
        **NODE,
        "nvidia_driver": "580.65.06",
        "cuda_driver": "13.0",
        "glibc": "2.39",
        "compute_caps": ["7.0", "9.0"],
    }
    both = check(site, torch_gpu_facts=node, torch_compute_caps=["7.0", "9.0"])
    assert "Install torch 2.14.1+cu126" in both.stdout
    one = check(site, torch_gpu_facts=node, torch_compute_caps=["9.0"])
    assert "Install torch 2.15.0+cu130" in one.stdout


@pytest.mark.real
def test_what_does_not_suit_is_refused_before_anything_is_changed(site: Path) -> None:
    done = check(site, torch_version="2.7.1", torch_variant="cu118")
    assert done.returncode == 1
    said = done.stdout + done.stderr
    assert "no torch ==2.7.1 from cu118 suits a machine with driver 510.47.03" in said
    assert "needs glibc 2.28; here it is 2.17" in said
    assert "Install torch" not in said


@pytest.mark.real
def test_what_is_not_certain_is_said(site: Path) -> None:
    done = check(site, torch_gpu_facts={"nvidia_driver": "510.47.03", "glibc": "2.17"}, torch_compute_caps=[])
    assert "the compute capability of the GPUs is not known, so it was not checked" in done.stdout


@pytest.mark.real
def test_an_unknown_variant_is_refused_before_any_host_is_touched(site: Path) -> None:
    (site / "site.yaml").write_text(PLAYBOOK + "      torch_variant: cu999\n")
    done = check(site)
    assert done.returncode == 2
    assert "cu999" in done.stderr
