"""`gpu-python`: the environment's python on the GPU with the most free memory."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from scupi_provision.playbook.templating import render_template

TEMPLATE = Path(__file__).parents[2] / "templates/gpu-python.sh.j2"
PYTHON = '#!/bin/sh\nprintf "%s|" "${CUDA_VISIBLE_DEVICES-unset}" "$@"\nexit 7\n'
FOUR_GPUS = """\
1024, GPU-aaaaaaaa-0000-0000-0000-000000000000
Unable to determine the device handle for GPU 0000:3B:00.0: GPU is lost
40536, GPU-bbbbbbbb-1111-1111-1111-111111111111
9, GPU-cccccccc-2222-2222-2222-222222222222
"""


def _script(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


@pytest.fixture
def gpu_python(tmp_path):
    """`gpu_python(smi, *arguments, **environment)`: what a python says that is started through it."""
    venv = tmp_path / "it's an env"
    _script(venv / "bin/python", PYTHON)
    text = render_template(TEMPLATE.read_text(), name=str(TEMPLATE), variables={"torch_env": str(venv)})
    _script(tmp_path / "gpu-python", text)

    def run(smi: str | None, *arguments: str, **environment: str) -> str:
        if smi is not None:
            _script(tmp_path / "bin/nvidia-smi", f"#!/bin/sh\ncat <<'END'\n{smi}END\n")
        path = {"PATH": f"{tmp_path / 'bin'}:/usr/bin:/bin"}
        done = subprocess.run(
            [tmp_path / "gpu-python", *arguments], env=path | environment, capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stderr) == (7, "")
        return done.stdout

    return run


def test_it_takes_the_gpu_with_the_most_free_memory(gpu_python):
    """By UUID, and whatever a dead GPU makes nvidia-smi say."""
    assert gpu_python(FOUR_GPUS, "train.py") == "GPU-bbbbbbbb-1111-1111-1111-111111111111|train.py|"


def test_it_passes_arguments_and_status_on(gpu_python):
    assert gpu_python(FOUR_GPUS, "a b", "", "$HOME").split("|")[1:] == ["a b", "", "$HOME", ""]


@pytest.mark.parametrize("own", ["0", "2,3", ""])
def test_a_choice_of_the_person_is_respected(gpu_python, own):
    """Also the choice of none."""
    assert gpu_python(FOUR_GPUS, CUDA_VISIBLE_DEVICES=own) == f"{own}|"


def test_the_choice_of_the_batch_system_is_respected(gpu_python):
    """Inside a job, the GPUs that are visible are the job's."""
    assert gpu_python(FOUR_GPUS, SLURM_JOB_ID="81") == "unset|"


@pytest.mark.parametrize("smi", [None, "", "No devices were found\n", "[N/A], [N/A]\n"])
def test_without_a_gpu_python_still_runs(gpu_python, smi):
    """As on the login node, and in the lab."""
    assert gpu_python(smi, "-V").startswith("unset|-V|")
