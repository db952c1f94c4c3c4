"""`gpu-python`: the environment's python on a free GPU, chosen by plain sh; nvidia-smi is a stand-in that replays."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from replayer import gpu, install, recorded
from scupi_provision.playbook.templating import render_template

pytestmark = pytest.mark.real

TEMPLATE = Path(__file__).parents[2] / "templates/gpu-python.sh.j2"
PYTHON = '#!/bin/sh\nprintf "%s|" "${CUDA_VISIBLE_DEVICES-unset}" "$@"\nexit 7\n'


def _script(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


@pytest.fixture
def gpu_python(shell, tmp_path):
    """`gpu_python(record, *arguments, **environment)`: what a python that is started through it says, and stderr."""
    env = tmp_path / "it's an env"
    _script(env / "bin/python", PYTHON)
    text = render_template(TEMPLATE.read_text(), name=str(TEMPLATE), variables={"torch_env": str(env)})
    _script(tmp_path / "gpu-python", text)

    def run(record, *arguments: str, **environment: str) -> SimpleNamespace:
        path = "/usr/bin:/bin"
        if record is not None:
            path = f"{install(record, tmp_path / 'bin')}:{path}"
        done = subprocess.run(
            [*shell, tmp_path / "gpu-python", *arguments],
            env={"PATH": path, **environment},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == 7
        chosen, *rest = done.stdout.split("|")
        return SimpleNamespace(chosen=chosen, arguments=rest[:-1], said=done.stderr)

    return run


def _uuid(number: int) -> str:
    return gpu(number)["uuid"]


def test_the_script_is_sound(gpu_python, tmp_path):
    """As far as shellcheck can tell."""
    tool = Path(sys.executable).parent / "shellcheck"
    done = subprocess.run([tool, "--shell=sh", tmp_path / "gpu-python"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_it_takes_a_free_gpu(gpu_python):
    """Not one that others use, however much memory is left on it; of the free ones the one with the most memory."""
    cards = [gpu(0, memory__used="2000"), gpu(1), gpu(2, memory__total="81920"), gpu(3, memory__total="90000")]
    apps = f"{_uuid(3)}, 77, python, 400\n"
    found = gpu_python({"gpus": cards, "apps": apps}, "train.py")
    assert (found.chosen, found.arguments, found.said) == (_uuid(2), ["train.py"], "")


@pytest.mark.parametrize(
    "taken",
    [
        {"memory__used": "501"},
        {"utilization__gpu": "6"},
        {"compute_mode": "Prohibited"},
        {"mig__mode__current": "Enabled"},
        {"memory__used": "[Unknown Error]"},
        {"utilization__gpu": "[GPU is lost]"},
    ],
    ids=lambda values: next(iter(values.values())),
)
def test_what_is_taken_or_broken_is_left_alone(gpu_python, taken):
    cards = [gpu(0, **{"memory__total": "81920", **taken}), gpu(1)]
    assert gpu_python({"gpus": cards}).chosen == _uuid(1)


def test_when_none_is_free_it_shares_and_says_so(gpu_python):
    """One that takes a single program and has one is never shared."""
    cards = [gpu(0, memory__used="30000"), gpu(1, memory__used="9000"), gpu(2, compute_mode="Exclusive_Process")]
    found = gpu_python({"gpus": cards, "apps": f"{_uuid(2)}, 77, python, 1\n"})
    assert found.chosen == _uuid(1)
    assert f"others use GPU {_uuid(1)}" in found.said


def test_a_lost_card_does_not_hide_the_others(gpu_python):
    """On the recorded node number 1 is lost, 0 does not answer and 3 is at work."""
    assert gpu_python(recorded("rtx2080ti-r520-lost")).chosen == "GPU-2d540dd6-583b-cf11-80dd-cc28edc1dd62"


@pytest.mark.parametrize(
    ("name", "slice_"),
    [
        ("a100-r510-mig", "MIG-c6d4f1ef-42e4-5de3-91c7-45d71c87eb3f"),
        ("h200-r610-mig", "MIG-14d1a71d-0000-5000-8000-000000000000"),
        ("h100-r590-mig-busy", "MIG-56c30729-0000-5000-8000-000000000000"),
    ],
)
def test_of_a_gpu_in_slices_it_takes_a_free_slice(gpu_python, name, slice_):
    """The largest that nobody uses, and never two: a program can open one only."""
    assert gpu_python(recorded(name), PROVISION_GPUS="2").chosen == slice_


@pytest.mark.parametrize("name", ["rtx2080-r465", "gb10-r580"])
def test_it_copes_with_what_nvidia_smi_does_not_tell(gpu_python, name):
    """Old versions do not know slices or capabilities, GB10 has no memory of its own."""
    assert gpu_python(recorded(name)).chosen == recorded(name)["gpus"][0]["uuid"]


def test_several_gpus_on_demand(gpu_python):
    cards = [gpu(0), gpu(1, memory__used="9000"), gpu(2, memory__total="81920")]
    assert gpu_python({"gpus": cards}, PROVISION_GPUS="2").chosen == f"{_uuid(2)},{_uuid(0)}"
    assert gpu_python({"gpus": cards}, PROVISION_GPUS="all").chosen == "unset"


def test_it_passes_arguments_and_status_on(gpu_python):
    assert gpu_python({"gpus": [gpu(0)]}, "a b", "", "$HOME").arguments == ["a b", "", "$HOME"]


@pytest.mark.parametrize("own", ["0", "2,3", ""])
def test_a_choice_of_the_person_is_respected(gpu_python, own):
    """Also the choice of none."""
    assert gpu_python({"gpus": [gpu(0)]}, CUDA_VISIBLE_DEVICES=own).chosen == own


def test_the_choice_of_the_batch_system_is_respected(gpu_python):
    """Inside a job, the GPUs that are visible are the job's."""
    assert gpu_python({"gpus": [gpu(0)]}, SLURM_JOB_ID="81").chosen == "unset"
    assert gpu_python({"gpus": [gpu(0)]}, SLURM_JOB_ID="81", CUDA_VISIBLE_DEVICES="1").chosen == "1"


@pytest.mark.parametrize("record", [None, {"gpus": []}, recorded("no-devices"), recorded("l4-module-only")])
def test_without_a_gpu_python_still_runs(gpu_python, record):
    """As on the login node, and in the lab."""
    found = gpu_python(record, "-V")
    assert (found.chosen, found.arguments, found.said) == ("unset", ["-V"], "")
