"""`provision gpu` as a person types it, on this machine as the GPU node; nvidia-smi and torch are stand-ins."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

GPU_TESTS = Path(__file__).parents[1] / "gpu"
sys.path.insert(0, str(GPU_TESTS))  # the stand-ins

import replayer  # noqa: E402
from replayer import gpu, recorded  # noqa: E402

INVENTORY = """\
all:
  hosts:
    gpu2: {ansible_connection: local}
    gone:
      ansible_host: 127.0.0.1
      ansible_port: 1
"""
PYTHON = """\
#!/bin/sh
[ "$PROVISION_GPUS" = all ] || exit 99
export PYTHONPATH={stand_in} STAND_IN_TORCH='{{}}' SIZE=8
exec {python} "$@" --size 8
"""


@pytest.fixture
def place(tmp_path) -> Path:
    """A folder with an inventory, and below it a home with a `gpu-python` that has a stand-in for torch."""
    (tmp_path / "inventory.yaml").write_text(INVENTORY)
    program = tmp_path / "home/.provision/bin/gpu-python"
    program.parent.mkdir(parents=True)
    program.write_text(PYTHON.format(stand_in=GPU_TESTS / "stand_in", python=sys.executable))
    program.chmod(0o755)
    return tmp_path


@pytest.fixture
def provision(place):
    """`provision(record, *arguments)`: exit status, stdout and stderr of `provision gpu` on that machine."""

    def run(record, *arguments, limit="gpu2") -> SimpleNamespace:
        done = replayer.provision(place, record, "gpu", "--limit", limit, *arguments)
        return SimpleNamespace(code=done.returncode, out=done.stdout, err=done.stderr)

    return run


def test_it_shows_who_is_on_which_gpu_and_which_one_is_free(provision):
    uuid = gpu(0)["uuid"]
    busy = gpu(0, memory__used="9000", utilization__gpu="97")
    record = {"gpus": [busy, gpu(1)], "apps": f"{uuid}, {os.getpid()}, python, 8000\n{uuid}, 7777777, x, [N/A]\n"}
    done = provision(record)
    assert done.code == 0
    lines = [" ".join(line.split()) for line in done.out.splitlines()]
    assert lines[0] == "gpu2 NVIDIA driver 510.47.03"
    owner = Path.home().owner()
    assert (
        lines[2] == f"0 NVIDIA A100-PCIE-40GB 9000 of 40536 MiB 97 % {owner}: python (process {os.getpid()}, 8000 MiB)"
    )
    assert lines[3] == "(owner hidden): x (process 7777777)"
    assert lines[4] == "1 NVIDIA A100-PCIE-40GB 3 of 40536 MiB 0 % nobody: free"
    assert lines[5] == f"gpu-python would take {gpu(1)['uuid']}: free, with 40533 MiB"


def test_it_shows_slices(provision):
    done = provision(recorded("h100-r590-mig-busy"))
    assert "slice 3g.40gb" in done.out
    assert "gpu-python would take MIG-56c30729-0000-5000-8000-000000000000: free, with 20079 MiB" in done.out


def test_machines_get_json(provision):
    node = json.loads(provision(recorded("rtx2080ti-r520-lost"), "--json").out)
    assert (node["host"], node["chosen"]) == ("gpu2", "GPU-2d540dd6-583b-cf11-80dd-cc28edc1dd62")
    assert [card["index"] for card in node["gpus"]] == [0, 2, 3]
    assert "Unable to determine the device handle" in node["said"]


def test_a_host_without_a_gpu_says_so(provision):
    done = provision(None)
    assert (done.code, done.out) == (0, "gpu2   no GPU\n")
    done = provision(None, "--bench")
    assert (done.code, "none of these hosts has a GPU to test" in done.err) == (1, True)


def test_an_unreachable_host_does_not_hide_the_others(provision, place):
    """And the exit code tells."""
    (place / "inventory.yaml").write_text(INVENTORY + "      ansible_user: me\n      host_keys: []\n")
    done = provision(recorded("l40s-r595-busy"), limit="all")
    assert (done.code, "NVIDIA L40S" in done.out, "gone" in done.err) == (3, True, True)


def test_the_benchmark_runs_the_probe_and_leaves_nothing(provision, place, tmp_path):
    """The probe travels with the question; no file of it stays, and the home is as it was."""
    done = provision({"gpus": [gpu(0)]}, "--bench", "--json")
    assert (done.code, done.err.count("error")) == (0, 0)
    report = json.loads(done.out)["probe"]
    assert (report["device"], report["problem"]) == ("cuda:0", None)
    assert report["tests"][0]["visible"] == gpu(0)["uuid"]
    left = [path.name for path in (place / "home/.provision").rglob("*") if path.is_file()]
    assert left == ["gpu-python"]
    told = provision({"gpus": [gpu(0)]}, "--bench")
    assert "TFLOP/s" in told.out
    assert "GB/s" in told.out


def test_a_problem_is_told_with_its_fix(provision):
    """And the exit code tells that there is one."""
    record = {"gpus": [gpu(0)], "apps": f"{gpu(0)['uuid']}, 7777777, python, 400\n"}
    done = provision(record, "--bench")
    assert (done.code, "problem: no GPU is free" in done.out) == (1, True)


def test_without_an_interpreter_it_says_what_to_do(provision, place):
    (place / "home/.provision/bin/gpu-python").unlink()
    done = provision({"gpus": [gpu(0)]}, "--bench")
    assert done.code == 3
    assert "there is no" in done.err
    assert "apply the role torch first" in done.err


def test_options_of_the_probe_need_the_probe(provision):
    done = provision(None, "--share")
    assert (done.code, "add --bench" in done.err) == (2, True)
