"""The probe from end to end on stand-ins: nvidia-smi replayed, the driver's libraries in C, torch in plain Python.

What it proves is the order of things: what is chosen, in which process, what is tried next, what is left behind.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from replayer import gpu, install, recorded
from scupi_provision.gpu import probe

pytestmark = pytest.mark.real

FOLDER = Path(probe.__file__).parent
STAND_IN = Path(__file__).with_name("stand_in")
ASSERTION = 'device >= 0 && device < num_gpus INTERNAL ASSERT FAILED at "../aten/src/ATen/cuda/CUDAContext.cpp":50'


def _uuid(number: int) -> str:
    return gpu(number)["uuid"]


FOUR = {"gpus": [gpu(number) for number in range(4)]}


@pytest.fixture(scope="session")
def driver(tmp_path_factory) -> Path:
    """A folder with the stand-ins for the driver's libraries."""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("there is no C compiler")
    folder = tmp_path_factory.mktemp("driver")
    library = folder / "libcuda.so.1"
    subprocess.run([compiler, "-shared", "-fPIC", "-o", library, STAND_IN / "driver.c"], check=True)
    (folder / "libnvidia-ml.so.1").symlink_to(library)
    return folder


@pytest.fixture
def command(driver, tmp_path):
    """`command(record, *options, torch=…, **environment)`: the argv and the environment of a probe."""

    def make(record, *options, torch=None, **environment):
        variables = {
            "PATH": f"{install(record, tmp_path / 'bin')}:/usr/bin:/bin",
            "LD_LIBRARY_PATH": str(driver),
            "PYTHONPATH": str(STAND_IN),
            "STAND_IN_GPUS": str(len(record["gpus"])),
            "STAND_IN_TORCH": json.dumps(torch or {}),
            **environment,
        }
        return [sys.executable, "-B", str(FOLDER), "--size", "8", *options], variables

    return make


@pytest.fixture
def run(command):
    """`run(record, *options, torch=…, **environment)`: the probe's report, with its exit status and stderr."""

    def run(record, *options, **values) -> SimpleNamespace:
        argv, environment = command(record, *options, **values)
        done = subprocess.run(argv, env=environment, capture_output=True, text=True, check=False, timeout=60)
        return SimpleNamespace(status=done.returncode, said=done.stderr, **json.loads(done.stdout))

    return run


def _causes(report) -> list[str]:
    return [finding["cause"] for finding in report.findings]


def test_a_free_gpu_is_chosen_and_tested_in_a_process_that_sees_no_other(run):
    record = {"gpus": [gpu(0, memory__used="9000"), gpu(1)], "apps": f"{_uuid(0)}, 1, python, 8000\n"}
    report = run(record)
    assert (report.status, report.problem, report.said, report.findings) == (0, None, "", [])
    (test,) = report.tests
    assert (test["visible"], test["torch_count"], report.device) == (_uuid(1), 1, "cuda:0")
    assert (report.served, report.agreement) == ("sm_80", "within 1e-3 of the reference")
    assert report.counts == "NVML and CUDA count the same GPUs"
    assert report.driver == {
        "version": "510.47.03", "cuda": "11.6", "nvml_count": 2, "cuda_count": 2, "problem": None
    }  # fmt: skip
    assert [process["user"] for process in report.gpus[0]["processes"]] == ["root"]


@pytest.mark.parametrize(
    ("behaviour", "cause"),
    [
        ("CUDA error: out of memory", "memory"),
        ("CUDA error: all CUDA-capable devices are busy or unavailable", "busy"),
        ("CUDA error: uncorrectable ECC error encountered", "dead"),
        ("crashes", "dead"),
    ],
)
def test_the_next_gpu_is_tried(run, behaviour, cause):
    """Somebody was faster, or the GPU is broken: what was found is told, and the proof goes on elsewhere."""
    report = run(FOUR, torch={"gpus": {_uuid(0): behaviour}})
    assert (report.status, report.problem, _causes(report)) == (0, None, [cause])
    assert [test["visible"] for test in report.tests] == [_uuid(0), _uuid(1)]


def test_a_gpu_that_hangs_is_left_when_its_time_is_over(run):
    """The others have the rest of the time."""
    report = run(FOUR, "--limit", "8", torch={"gpus": {_uuid(0): "hangs"}})
    assert (report.status, [test["visible"] for test in report.tests]) == (0, [_uuid(0), _uuid(1)])
    assert "ended after" in report.tests[0]["problem"]


def test_a_wrong_product_is_never_passed_over(run):
    """A GPU that computes wrongly is worse than one that does not compute."""
    report = run(FOUR, torch={"gpus": {_uuid(0): "miscomputes"}})
    assert (report.status, report.problem) == (1, "the product differs from the reference")
    assert len(report.tests) == 1


def test_all_free_gpus_are_tested_on_demand(run):
    """One that fails fails the proof."""
    record = {**FOUR, "apps": f"{_uuid(2)}, 1, python, 8000\n"}
    report = run(record, "--all")
    assert (report.status, len(report.tests)) == (0, 3)
    report = run(record, "--all", torch={"gpus": {_uuid(0): "CUDA error: out of memory"}})
    assert (report.status, len(report.tests)) == (1, 3)


def test_a_benchmark_disturbs_nobody(run):
    """Unless it is asked to."""
    record = {"gpus": [gpu(0)], "apps": f"{_uuid(0)}, 1, python, 8000\n"}
    report = run(record, "--bench")
    assert (report.status, report.problem) == (1, f"no GPU is free: {_uuid(0)}: root has programs on it")
    report = run(record, "--bench", "--share")
    assert report.status == 0
    assert sorted(report.tests[0]["bench"]["matmul"]) == ["bf16", "fp32", "tf32"]
    assert report.tests[0]["shares"] == "root has programs on it"


@pytest.mark.parametrize(
    ("environment", "by"),
    [
        ({"CUDA_VISIBLE_DEVICES": "GPU-of-mine"}, "CUDA_VISIBLE_DEVICES=GPU-of-mine"),
        ({"SLURM_JOB_ID": "81"}, "Slurm, for job 81"),
    ],
)
def test_a_choice_that_was_made_is_never_overridden(run, environment, by):
    report = run(FOUR, "--allow-cpu", "x", **environment)
    assert report.chosen_by == by
    assert [test["visible"] for test in report.tests] == [environment.get("CUDA_VISIBLE_DEVICES")]


def test_gpus_that_a_job_was_not_given_take_no_part(run):
    """nvidia-smi shows all of them where devices are not shut off."""
    report = run(FOUR, "--allow-cpu", "x", "--all", "--all-reduce", SLURM_JOB_ID="81")
    assert [test["visible"] for test in report.tests] == [None]
    assert report.all_reduce == {"skipped": "it takes two free GPUs", "problem": None}


def test_the_numbers_of_a_job_are_kept_as_they_are(run):
    """Inside a job's cgroup GPUs are numbered from 0 again (Slurm's gres.html): outside, a number is another GPU's."""
    report = run(FOUR, "--allow-cpu", "x", "--all", SLURM_JOB_ID="81", CUDA_VISIBLE_DEVICES="0,1")
    assert [test["visible"] for test in report.tests] == ["0", "1"]


def test_no_visible_gpu_is_explained(run):
    report = run(FOUR, CUDA_VISIBLE_DEVICES="")
    assert (report.status, _causes(report)) == (1, ["none visible"])
    assert "CUDA_VISIBLE_DEVICES hides them all" in report.said


def test_torch_that_was_not_compiled_for_the_gpu(run):
    report = run(FOUR, torch={"arch": ["sm_37", "sm_70", "sm_90", "compute_90"]})
    assert (report.status, _causes(report)) == (1, ["architecture"])
    assert report.problem == "no kernel image is available: torch is compiled for sm_37 sm_70 sm_90 compute_90 only"


def test_the_cpu_build_on_a_gpu_node(run):
    """What plain `pip install` on the login node gives. With a reason the CPU may be used, and it is said."""
    report = run(FOUR, torch={"cuda": None, "version": "2.6.0+cpu"})
    assert (report.status, _causes(report)) == (1, ["cpu build"])
    report = run(FOUR, "--allow-cpu", "asked for", torch={"cuda": None, "version": "2.6.0+cpu"})
    assert (report.status, report.device, report.stand_in) == (0, "cpu", "asked for: torch ran on the CPU")


# --- the four causes of the tutorial's INTERNAL ASSERT ----------------------------------------------------------------


def test_cause_a_the_choice_came_too_late(run):
    """The counts agree, so it is the program's own doing."""
    report = run(FOUR, "--explain", ASSERTION)
    assert (_causes(report), report.counts) == (["A"], "NVML and CUDA count the same GPUs")


def test_cause_b_a_dead_gpu(run):
    """It is foretold, named by its UUID and left out, and the proof succeeds on another."""
    report = run(FOUR, STAND_IN_DEAD="0")
    assert (report.status, _causes(report)) == (0, ["B"])
    assert report.counts == f"the driver lists 4 GPUs and CUDA can open 3: {_uuid(0)} is broken"
    assert report.tests[0]["visible"] == _uuid(1)
    assert _causes(run(FOUR, "--explain", ASSERTION, STAND_IN_DEAD="0")) == ["B"]


def test_cause_b_a_lost_gpu(run):
    """It has no UUID any more."""
    report = run(FOUR, STAND_IN_LOST="2")
    assert (report.driver["nvml_count"], report.driver["cuda_count"]) == (4, 3)
    assert "number 2 is broken" in report.counts


def test_cause_c_slices(run):
    """NVML says two, CUDA says one: as it has to be, when a slice is chosen."""
    record = {**recorded("h100-r590-mig-busy"), "gpus": [recorded("h100-r590-mig-busy")["gpus"][0], gpu(1)]}
    record["gpus"][1]["mig.mode.current"] = "Enabled"
    report = run(record, STAND_IN_SLICES="1")
    assert (report.status, _causes(report), report.counts) == (0, ["C"], "NVML and CUDA count the same GPUs")
    assert report.tests[0]["visible"] == "MIG-56c30729-0000-5000-8000-000000000000"


def test_cause_d_a_torch_that_cannot_count_slices(run):
    chosen = "MIG-56c30729-0000-5000-8000-000000000000"
    torch = {"count": 0, "gpus": {chosen: ASSERTION}}
    report = run(recorded("h100-r590-mig-busy"), torch=torch, CUDA_VISIBLE_DEVICES=chosen)
    assert (report.status, _causes(report)) == (1, ["D"])


# --- time, and what is left behind ------------------------------------------------------------------------------------


def test_a_driver_that_hangs_is_told(run):
    """cuInit never returns; NVML's answer is kept, and the limit of the whole run holds."""
    started = time.monotonic()
    report = run(FOUR, "--limit", "3", torch={"gpus": {_uuid(n): "hangs" for n in range(4)}}, STAND_IN_HANGS="1")
    assert time.monotonic() - started < 20
    assert (report.status, report.driver["nvml_count"], report.driver["cuda_count"]) == (1, 4, None)
    assert report.driver["problem"] == "CUDA does not answer"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_nothing_is_left_behind(command, number, tmp_path):
    """However the probe ends, its processes end with it."""
    mark = f"left-behind-{tmp_path.name}-{number}"
    argv, environment = command(FOUR, torch={"gpus": {_uuid(0): "hangs"}}, MARK=mark)
    process = subprocess.Popen(argv, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    deadline = time.monotonic() + 30
    while not any("--part\0device" in line for line in _marked(mark)) and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(number)
    process.communicate(timeout=20)
    while _marked(mark) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert _marked(mark) == []


def _marked(mark: str) -> list[str]:
    """The command lines of the living processes with this mark in their environment."""
    return [line for folder in Path("/proc").glob("[0-9]*") for line in _command_line(folder, mark)]


def _command_line(folder: Path, mark: str) -> list[str]:
    try:
        marked = mark.encode() in (folder / "environ").read_bytes()
        return [(folder / "cmdline").read_text()] if marked else []
    except OSError:  # it has ended meanwhile
        return []


def test_it_runs_from_a_copy_under_another_name(tmp_path, command):
    """As the role ships it; and it leaves the folder as it was."""
    copy = shutil.copytree(FOLDER, tmp_path / "gpu_probe", ignore=shutil.ignore_patterns("__pycache__"))
    argv, environment = command(FOUR)
    argv[2] = str(copy)
    done = subprocess.run(argv, env=environment, capture_output=True, text=True, check=True, cwd=os.sep)
    assert json.loads(done.stdout)["device"] == "cuda:0"
    assert sorted(path.name for path in copy.iterdir()) == sorted(path.name for path in FOLDER.glob("*.py"))
