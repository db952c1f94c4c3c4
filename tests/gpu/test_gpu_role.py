"""The role gpu on this machine as the GPU node: one fixed choice for new shells, looked up before it is made."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest
from replayer import gpu, provision

pytestmark = pytest.mark.real

UUID = gpu(1)["uuid"]


@pytest.fixture
def apply(tmp_path):
    """`apply(gpu_visible)`: how `provision apply` of the role ends on a node with two GPUs."""
    (tmp_path / "home").mkdir()
    (tmp_path / "roles").symlink_to(Path(__file__).parents[2] / "roles")
    (tmp_path / "inventory.yaml").write_text("all:\n  hosts:\n    gpu2: {ansible_connection: local}\n")
    (tmp_path / "site.yaml").write_text("- hosts: gpu2\n  verify: gpu2\n  roles: [gpu]\n")
    record = {"gpus": [gpu(0), gpu(1)]}

    def run(visible: str) -> SimpleNamespace:
        extra = json.dumps({"gpu_visible": visible})
        done = provision(tmp_path, record, "apply", "site.yaml", "-e", extra)
        return SimpleNamespace(code=done.returncode, out=done.stdout, err=done.stderr, home=tmp_path / "home")

    return run


def _shell(home: Path, **environment: str) -> str:
    command = ["bash", "-c", ". ~/.bashrc; echo ${CUDA_VISIBLE_DEVICES-none}"]
    path = {"HOME": str(home), "PATH": "/usr/bin:/bin", **environment}
    return subprocess.run(command, env=path, capture_output=True, text=True, check=True).stdout.strip()


def test_new_shells_have_the_choice_until_it_is_taken_back(apply):
    """Verified by a login; what a shell or a job has already is kept."""
    done = apply(f" {UUID} ")
    assert (done.code, "new shells have the choice of GPUs" in done.out) == (0, True)
    assert _shell(done.home) == UUID
    assert _shell(done.home, CUDA_VISIBLE_DEVICES="3") == "3"
    assert _shell(done.home, SLURM_JOB_ID="81") == "none"
    assert apply("").code == 0
    assert _shell(done.home) == "none"


@pytest.mark.parametrize("wrong", ["0", "GPU-12345678-0000-4000-8000-000000000000", f"{UUID},all"])
def test_what_is_not_there_is_refused_before_anything_is_changed(apply, wrong):
    done = apply(wrong)
    assert done.code == 1
    assert f"gpu2 has {gpu(0)['uuid']}, {UUID}" in done.out + done.err
    assert not (done.home / ".provision/current").exists()
