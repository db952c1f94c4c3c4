"""torch_build: what it reads of an environment, what it registers, and when it fails."""

from __future__ import annotations

import pytest
from pydantic import ValidationError
from scupi_provision.host.memory import HOME, MemoryHost, Node
from scupi_provision.host.memory_planning import plan_on
from scupi_provision.modules.registry import MODULES
from scupi_provision.shell.entry import Kind
from scupi_provision.values import UnknownValueError

MODULE = MODULES["torch_build"]
CLUSTER = {"driver": "510.47.03", "cuda": "11.6", "capabilities": ["8.0"], "glibc": ["2.17", "2.17"]}
BLACKWELL = {"driver": "570.86", "cuda": "12.8", "capabilities": ["12.0"], "glibc": ["2.17"]}


def planned(memory=None, **args):
    parsed = MODULE.args.model_validate(args)
    return plan_on(memory or MemoryHost(), lambda view: MODULE.plan(parsed, view))


def venv(python):
    return MemoryHost({f"{HOME}/env/lib/python{python}": Node(Kind.DIRECTORY)})


def conda(*records):
    """A conda environment behind a link, with `lib/python3.1` as conda makes it."""
    root = f"{HOME}/.provision/store/conda-torch-1"
    nodes = {f"{root}/conda-meta/{record}.json": Node(Kind.FILE) for record in records}
    nodes[f"{root}/lib/python3.11"] = Node(Kind.DIRECTORY)
    nodes[f"{root}/lib/python3.1"] = Node(Kind.LINK, target="python3.11")
    return MemoryHost({**nodes, f"{HOME}/env": Node(Kind.LINK, target=root)})


def test_registers_what_the_tasks_after_it_need():
    plan = planned(
        **CLUSTER, companions="torchvision", sources=["https://one/whl/", "https://two find-links:https://three"]
    )
    assert plan.record.actions == []
    assert not plan.result.changed
    values = plan.result.values
    assert values["build"] == "2.6.0+cu118"
    assert values["spec"] == ["torch==2.6.0+cu118", "torchvision==0.21.0"]
    assert values["index_urls"] == ["https://one/whl/cu118", "https://two find-links:https://three/cu118"]
    assert values["only_binary"] is True
    assert values["channel"] == "pip"
    assert values["why"].startswith("torch 2.6.0+cu118 is the newest for driver 510.47.03 (knows CUDA 11.6)")
    assert "2.7.0 to 2.7.1 (cu118): needs glibc 2.28; here it is 2.17" in values["rejected"]


def test_upstream_is_the_source_when_none_is_given():
    assert planned(**CLUSTER).result.values["index_urls"] == ["https://download.pytorch.org/whl/cu118"]


@pytest.mark.parametrize(
    ("memory", "build"),
    [
        (venv("3.11"), "2.6.0+cu118"),
        (venv("3.8"), "2.4.1+cu118"),
        (venv("3.14"), None),
        (conda("python-3.8.20-h955ad1f_0", "python-dateutil-2.9.0-py_0"), "2.4.1+cu118"),
        (conda(), "2.6.0+cu118"),
        (MemoryHost(), "2.6.0+cu118"),  # nothing there: pip will say so
    ],
)
def test_the_python_of_the_environment_is_read_from_names(memory, build):
    result = planned(memory, **CLUSTER, environment="~/env").result
    assert result.values.get("build") == build
    assert result.failed is (build is None)


def made_in_the_same_plan(**args):
    """`torch_build` after a task that makes the environment."""

    def both(view):
        MODULES["venv"].plan(MODULES["venv"].args.model_validate({"path": "~/env"}), view)
        view.commit()
        view.begin("torch")
        return MODULE.plan(MODULE.args.model_validate({**CLUSTER, "environment": "~/env", **args}), view)

    return plan_on(MemoryHost(), both).result.values["build"]


def test_an_environment_that_is_only_made_by_the_plan_is_waited_for():
    with pytest.raises(UnknownValueError):
        made_in_the_same_plan()


def test_nothing_is_waited_for_when_the_python_is_told_or_the_build_is_exact():
    assert made_in_the_same_plan(python="3.8") == "2.4.1+cu118"
    assert made_in_the_same_plan(version="2.6.0", variant="cpu") == "2.6.0+cpu"


def test_what_does_not_suit_is_refused_with_what_would():
    result = planned(**CLUSTER, version="2.7.1", variant="cu118").result
    assert result.failed
    first, reason, *more = result.message.splitlines()
    assert first.startswith("no torch ==2.7.1 from cu118 suits a machine with driver 510.47.03")
    assert reason == "  2.7.1 (cu118): needs glibc 2.28; here it is 2.17"
    assert "torch 2.6.0+cu118 suits" in more[0]
    assert "fallback" not in result.message


def test_without_a_driver_the_task_fails_and_says_how_to_take_the_cpu():
    result = planned(glibc=["2.17"]).result
    assert result.failed
    assert result.message.startswith("no build of torch with CUDA suits a machine with no NVIDIA driver")
    assert "what there is: without a GPU, torch 2.6.0+cpu" in result.message
    assert "torch_fallback" in result.message


def test_the_cpu_is_taken_when_it_is_allowed():
    values = planned(glibc=["2.17"], fallback="cpu").result.values
    assert values["build"] == "2.6.0+cpu"
    assert values["index_urls"] == ["https://download.pytorch.org/whl/cpu"]
    assert "no NVIDIA driver" in values["why"]


NEWER = {"driver": "580.65.06", "cuda": "13.0", "capabilities": ["8.0"], "glibc": ["2.39"]}


def remembering(text):
    memory = MemoryHost()
    memory.put(f"{HOME}/choice", text)
    return memory


def test_an_earlier_choice_stays_while_it_suits():
    """A new driver does not change an environment in which somebody is at work; that there is a newer torch is said."""
    values = planned(
        remembering(b"2.6.0+cu118\n"), **NEWER, remembered="~/choice", companions="torchvision"
    ).result.values
    assert values["spec"] == ["torch==2.6.0+cu118", "torchvision==0.21.0"]
    assert values["why"].startswith("torch 2.6.0+cu118 was chosen before, and suits driver 580.65.06")
    assert values["alternatives"] == ["torch 2.15.0+cu130 suits and is newer; torch_version: newest takes it"]
    assert values["rejected"] == []


@pytest.mark.parametrize(
    ("text", "args"),
    [
        (b"2.6.0+cu118", {"version": "newest"}),
        (b"2.6.0+cu118", {"version": "2.15"}),
        (b"2.6.0+cu118", {"variant": "cu130"}),
        (b"2.6.0+cu118", {"capabilities": ["12.0"]}),  # another GPU, for which it has no code
        (b"2.6.0+cu118", {"python": "3.14"}),
        (b"2.15.0+cpu", {}),  # there was no GPU, now there is one
        (b"", {}),
        (b"\xff\x00 rm -rf", {}),
    ],
)
def test_it_goes_when_it_does_not_suit_or_something_else_is_asked_for(text, args):
    assert (
        planned(remembering(text), **{**NEWER, "remembered": "~/choice", **args}).result.values["build"]
        == "2.15.0+cu130"
    )


def test_a_build_for_the_cpu_stays_for_want_of_a_gpu():
    args = {"remembered": "~/choice", "glibc": ["2.39"]}
    kept = planned(remembering(b"2.6.0+cpu"), **args, fallback="cpu").result.values
    assert kept["build"] == "2.6.0+cpu"
    assert kept["why"] == "torch 2.6.0+cpu was chosen before, and suits glibc 2.39, any Python"
    assert planned(remembering(b"2.6.0+cpu"), **args).result.failed


def test_another_architecture_is_said_not_to_be_in_the_table():
    values = planned(**CLUSTER, architecture="aarch64").result.values
    assert values["notes"] == ["the table is that of x86_64; what builds for aarch64 need may differ"]


def test_a_wish_that_the_earlier_choice_meets_leaves_it():
    values = planned(remembering(b"2.6.0+cu118"), **NEWER, remembered="~/choice", version=">=2.4").result.values
    assert values["build"] == "2.6.0+cu118"


def test_builds_of_macos_have_no_tag():
    values = planned(version="2.13.0", variant="cpu", system="Darwin", glibc=[""]).result.values
    assert (values["build"], values["spec"]) == ("2.13.0", ["torch==2.13.0"])


def test_conda_forge_is_for_the_environment_to_declare():
    """What conda has to install is said until its record is there."""
    for memory in (venv("3.11"), conda("pytorch-2.13.0-cpu_mkl_py311_h0_1"), MemoryHost()):
        result = planned(
            memory, **BLACKWELL, environment="~/env", fallback="conda-forge", companions="torchvision"
        ).result
        assert result.failed
        assert 'conda_env_packages: ["pytorch=2.13.0=cuda129_*", "torchvision"]' in result.message
    there = conda("pytorch-2.13.0-cuda129_mkl_py311_h0_304")
    result = planned(there, **BLACKWELL, environment="~/env", variant="conda-forge").result
    assert not result.failed
    assert (result.values["build"], result.values["tag"]) == ("2.13.0", "cu129")
    assert result.values["spec"] == []


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ({"driver": "11.6"}, "looks like a CUDA version"),
        ({"variant": "cu999"}, "variant cu999 is not known; it is auto or one of cpu, cu102"),
        ({"version": "latest"}, "is not understood"),
        ({"capabilities": ["8"]}, "is not a compute capability"),
        ({"fallback": "guess"}, "fail"),
    ],
)
def test_bad_arguments_are_refused(args, said):
    with pytest.raises(ValidationError, match=said):
        MODULE.args.model_validate(args)
