"""Which GPU is free: the probe's rule, and that `gpu-python` follows the same one."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from replayer import NAMES, gpu, install, recorded
from scupi_provision.gpu.probe.choice import candidates
from scupi_provision.gpu.probe.inventory import take_inventory, usage
from scupi_provision.gpu.probe.listing import Gpu, Inventory, Process, Slice
from scupi_provision.gpu.probe.processes import Processes
from scupi_provision.playbook.templating import render_template

TEMPLATE = Path(__file__).parents[2] / "templates/gpu-python.sh.j2"
ALICE, BOB = Process(11, "python", 400, "alice"), Process(12, "python", 400, "bob")


def _gpu(number: int, **values) -> Gpu:
    known = {
        "index": number, "uuid": f"GPU-{number}", "name": "A100", "driver": "510.47.03", "memory_mib": 40536,
        "used_mib": 3, "busy_percent": 0, "compute_mode": "Default", "mig": False, "compute_cap": "8.0",
    }  # fmt: skip
    return Gpu(**{**known, **values})


def _free(*gpus: Gpu, **values) -> list[str]:
    return [one.uuid for one in candidates(gpus, values.get("later", {}), values.get("dead", ())) if not one.obstacle]


def test_free_gpus_come_first_and_the_roomiest_of_them():
    gpus = [_gpu(0, used_mib=400), _gpu(1, memory_mib=81920, processes=(ALICE,)), _gpu(2)]
    assert [one.uuid for one in candidates(gpus, {})] == ["GPU-2", "GPU-0", "GPU-1"]


@pytest.mark.parametrize(
    ("values", "obstacle"),
    [
        ({"processes": (ALICE,)}, "alice has programs on it"),
        ({"processes": (ALICE, BOB, Process(13, "x", None))}, "alice, bob and somebody have programs on it"),
        ({"used_mib": 9000}, "9000 MiB of its memory are in use, by programs that this node hides"),
        ({"busy_percent": 40}, "it is at work (40 %)"),
        ({"compute_mode": "Prohibited"}, "it takes no programs (compute mode Prohibited)"),
        ({"mig": True}, "it is cut into slices (MIG), which are chosen instead"),
        ({"problem": "GPU is lost"}, "it is not well: GPU is lost"),
    ],
)
def test_every_obstacle_is_said(values, obstacle):
    (found,) = candidates([_gpu(0, **values)], {})
    assert found.obstacle == obstacle


def test_two_looks_are_better_than_one():
    """A program that loads its next batch is idle for a moment."""
    assert _free(_gpu(0), later={"GPU-0": (3, 97)}) == []
    assert _free(_gpu(0, busy_percent=97), later={"GPU-0": (3, 0)}) == []
    assert _free(_gpu(0), later={"GPU-0": (3, 0)}) == ["GPU-0"]


def test_a_gpu_that_cuda_cannot_open_is_left_out():
    """The tutorial's four GPUs, of which one is broken."""
    assert _free(_gpu(0), _gpu(1), dead=["GPU-0"]) == ["GPU-1"]


def test_an_exclusive_gpu_is_free_or_cannot_be_used():
    free, taken = (candidates([_gpu(0, compute_mode="Exclusive_Process", processes=p)], {})[0] for p in ((), (BOB,)))
    assert (free.obstacle, free.usable) == ("", True)
    assert (bool(taken.obstacle), taken.usable) == (True, False)


def test_slices_stand_for_their_gpu():
    slices = (Slice("MIG-1", "1g.5gb", 4864, 11), Slice("MIG-2", "3g.20gb", 20096, 11, (ALICE,)))
    assert _free(_gpu(0, mig=True, slices=slices)) == ["MIG-1"]


@pytest.mark.real
@pytest.mark.parametrize("name", NAMES)
def test_recorded_outputs_are_understood(name, tmp_path, monkeypatch):
    """The inventory sees what the facts see, and beside it who is at work."""
    found = _inventory(recorded(name), tmp_path, monkeypatch)
    if "module" not in recorded(name):  # the probe leaves that to the facts: without nvidia-smi there is no choice
        seen = [(gpu.index, gpu.uuid, gpu.name, gpu.memory_mib or 0, gpu.mig) for gpu in found.gpus]
        facts = recorded(name)["facts"]["gpus"]
        assert seen == [tuple(gpu[key] for key in ("index", "uuid", "name", "memory_mib", "mig")) for gpu in facts]
    assert bool(found.said) == bool(recorded(name).get("besides"))


@pytest.mark.real
def test_programs_are_told_with_their_memory(tmp_path, monkeypatch):
    (card,) = _inventory(recorded("l40s-r595-busy"), tmp_path, monkeypatch).gpus
    assert [(one.program, one.memory_mib) for one in card.processes] == [("ffmpeg", 538), ("ffmpeg", 681)]
    odd = {"gpus": [gpu(0)], "apps": f"{gpu(0)['uuid']}, {os.getpid()}, python, -c, x, [N/A]\n"}
    (card,) = _inventory(odd, tmp_path, monkeypatch).gpus
    assert card.processes == (Process(os.getpid(), "python, -c, x", None, Path.home().owner()),)


@pytest.mark.real
def test_slices_are_told_with_their_programs(tmp_path, monkeypatch):
    (card,) = _inventory(recorded("h100-r590-mig-busy"), tmp_path, monkeypatch).gpus
    assert [(part.profile, part.memory_mib, part.used_mib) for part in card.slices] == [
        ("3g.40gb", 40448, 11091), ("2g.20gb", 20096, 17), ("1g.10gb", 9984, 9), ("1g.10gb", 9984, 9)
    ]  # fmt: skip
    assert [len(part.processes) for part in card.slices] == [3, 0, 0, 0]
    assert card.slices[0].processes[2].program == "./gpu_burn"


def _inventory(record, tmp_path, monkeypatch) -> Inventory:
    monkeypatch.setenv("PATH", f"{install(record, tmp_path / 'bin')}:{os.environ['PATH']}")
    return take_inventory(Processes(30))


cards = st.lists(
    st.fixed_dictionaries(
        {
            "memory__used": st.sampled_from(["0", "3", "500", "501", "20000", "[Unknown Error]"]),
            "memory__total": st.sampled_from(["40536", "81920", "[N/A]"]),
            "utilization__gpu": st.sampled_from(["0", "5", "6", "[N/A]", "[GPU is lost]"]),
            "compute_mode": st.sampled_from(["Default", "Default", "Prohibited", "Exclusive_Process"]),
        }
    ),
    min_size=1,
    max_size=4,
)


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    """`gpu-python` of an environment whose python prints the choice."""
    folder = tmp_path_factory.mktemp("place")
    text = render_template(TEMPLATE.read_text(), name="gpu-python", variables={"torch_env": str(folder)})
    for name, content in (("gpu-python", text), ("bin/python", "#!/bin/sh\necho ${CUDA_VISIBLE_DEVICES-none}\n")):
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(content)
        path.chmod(0o755)
    return folder


WITHOUT_MEMORY = {"memory__total": "[N/A]", "utilization__gpu": "0", "compute_mode": "Default"}


@pytest.mark.real
@given(cards, st.sets(st.integers(0, 3)))
@example([{**WITHOUT_MEMORY, "memory__used": "3"}, {**WITHOUT_MEMORY, "memory__used": "0"}], set())
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_gpu_python_chooses_as_the_probe_does(place, machine, users):
    """The two rules are one, in two languages."""
    gpus = [gpu(number, **values) for number, values in enumerate(machine)]
    apps = "".join(f"{gpu(number)['uuid']}, 7777777, python, 3\n" for number in users)
    path = {"PATH": f"{install({'gpus': gpus, 'apps': apps}, place / 'smi')}:/usr/bin:/bin"}
    by_shell = subprocess.run([place / "gpu-python"], env=path, capture_output=True, text=True, check=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", path["PATH"])
        found = candidates(take_inventory(Processes(30)).gpus, usage(Processes(30)))
    assert by_shell.stdout.strip() == next((one.uuid for one in found if one.usable), "none")
