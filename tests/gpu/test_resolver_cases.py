"""Which torch suits which machine: worked cases as data."""

from __future__ import annotations

import re

import pytest
from scupi_provision.gpu.explain import Group, alternatives, groups, notes
from scupi_provision.gpu.installing import only_binary, pip_requirements
from scupi_provision.gpu.machine import read_machine, read_wish
from scupi_provision.gpu.resolver import resolve
from scupi_provision.gpu.torch_builds import torch_builds


def resolved(driver="", cuda="", cc=(), glibc=(), python="", **wish):
    machine = read_machine(driver=driver, cuda=cuda, capabilities=cc, glibc=glibc, python=python)
    return resolve(machine, read_wish(**wish), torch_builds())


def name(build):
    return None if build is None else build.name


CASES = [
    # driver, its own CUDA, capabilities, glibc, python → the build
    ("510.47", "", ["8.0"], "2.17", "", "2.6.0+cu118"),  # the tutorial's cluster
    ("510.47", "11.6", ["8.0"], "2.17", "3.11", "2.6.0+cu118"),
    ("510.47", "", ["8.0"], "2.28", "", "2.7.1+cu118"),
    ("535", "12.2", ["7.0"], "2.17", "", "2.6.0+cu118"),  # cu124 would run, but is newer than the driver
    ("535", "12.4", ["7.0"], "2.17", "", "2.6.0+cu124"),
    ("535", "12.2", ["7.0"], "2.28", "", "2.14.1+cu126"),
    ("550", "12.4", ["8.0"], "2.28", "", "2.14.1+cu126"),
    ("580", "13.0", ["7.0"], "2.28", "", "2.14.1+cu126"),  # cu132 has no code for a V100
    ("580", "13.0", ["9.0"], "2.28", "3.11", "2.15.0+cu130"),  # cu132 would run, but is newer than the driver
    ("580", "", ["9.0"], "2.28", "3.11", "2.15.0+cu130"),
    ("590", "13.2", ["9.0"], "2.28", "3.11", "2.15.0+cu132"),
    ("580", "13.0", ["9.0"], "2.28", "3.10", "2.14.1+cu130"),
    ("570", "12.8", ["12.0"], "2.28", "", "2.11.0+cu128"),
    ("470", "11.4", ["3.7"], "2.17", "", "2.6.0+cu118"),
    ("445", "", ["7.0"], "2.17", "3.10", "1.12.1+cu102"),
    ("445", "", ["7.0"], "2.17", "", "1.12.1+cu102"),
    ("445", "", ["7.0"], "2.17", "3.11", None),
    ("430", "", ["7.0"], "2.17", "", None),
    ("580", "13.0", ["8.0"], "2.17", "", "2.6.0+cu124"),
    ("580", "13.0", ["7.0", "9.0"], "2.28", "", "2.14.1+cu126"),  # one build for both kinds of GPU
    ("580", "13.0", ["3.7", "12.0"], "2.28", "", None),  # no build for both
    ("580", "13.0", ["8.9"], "2.28", "3.12", "2.15.0+cu130"),  # code for 8.6 runs on 8.9
]


@pytest.mark.parametrize(("driver", "cuda", "cc", "glibc", "python", "build"), CASES)
def test_worked_cases(driver, cuda, cc, glibc, python, build):
    assert name(resolved(driver, cuda, cc, [glibc], python).choice) == build


COMPANIONS = [
    # the machine, the wish → requirements
    ({"driver": "510.47", "glibc": ["2.17"]}, [], ["torch==2.6.0+cu118"]),
    (
        {"driver": "510.47", "glibc": ["2.17"]},
        ["torchvision", "torchaudio", "lightning>=2"],
        ["torch==2.6.0+cu118", "torchvision==0.21.0", "torchaudio==2.6.0", "lightning>=2"],
    ),
    ({"driver": "510.47", "version": "2.0"}, ["torchaudio"], ["torch==2.0.1+cu117", "torchaudio==2.0.2", "numpy<2"]),
    ({"driver": "510.47", "version": "2.2"}, ["numpy==1.26.4"], ["torch==2.2.2+cu118", "numpy==1.26.4"]),
    ({"driver": "510.47", "version": "2.3"}, [], ["torch==2.3.1+cu118"]),
    ({"driver": "580", "version": "2.14"}, ["torchaudio"], ["torch==2.14.1+cu130", "torchaudio==2.11.0"]),
    ({"driver": "590", "cuda": "13.2", "version": "2.14"}, [], ["torch==2.14.1+cu132"]),
    ({"tag": "cpu", "glibc": ["2.17"]}, ["torchvision"], ["torch==2.6.0+cpu", "torchvision==0.21.0"]),
]


@pytest.mark.parametrize(("given", "companions", "spec"), COMPANIONS)
def test_companions_come_in_the_version_that_fits(given, companions, spec):
    found = resolved(**given, companions=companions)
    assert list(pip_requirements(found.choice, found.wish, found.table)) == spec


def test_no_cuda_13_2_with_torchaudio():
    """The index cu132 lacks it, as far as is known: the newest that has all that is wanted is taken."""
    machine = {"driver": "590", "cuda": "13.2", "cc": ["9.0"], "glibc": ["2.28"]}
    assert name(resolved(**machine).choice) == "2.15.0+cu132"
    found = resolved(**machine, companions=["torchaudio"])
    assert name(found.choice) == "2.15.0+cu130"
    assert [reason.kind for one in found.rejected for reason in one.reasons] == ["companion"]


@pytest.mark.parametrize(("glibc", "binary"), [("2.17", True), ("2.27", True), ("2.28", False), ("", False)])
def test_pip_may_not_build_on_an_old_c_library(glibc, binary):
    found = resolved("580", glibc=[glibc])
    assert only_binary(found.machine, found.table) is binary


PINS = [
    ("2.4", "", "2.4.1+cu124"),
    ("2.4.0", "", "2.4.0+cu124"),
    ("2.4.1+cu121", "", "2.4.1+cu121"),
    ("", "cu118", "2.7.1+cu118"),
    (">=2.4,<2.6", "", "2.5.1+cu124"),
    ("==2.4.*", "cu121", "2.4.1+cu121"),
    ("2.11.0+cu129", "", "2.11.0+cu129"),  # not certain, so only by name
    ("2.11", "", "2.11.0+cu130"),
    ("", "cu129", "2.8.0+cu129"),
    ("2.4", "cu130", None),
    ("2.4.7", "", None),
    ("2", "", "2.15.0+cu130"),
    ("", "conda-forge", "2.13.0 (conda-forge, CUDA 13.0)"),
    ("2.6", "conda-forge", None),
]


@pytest.mark.parametrize(("version", "tag", "build"), PINS)
def test_what_is_asked_for_is_taken_where_it_suits(version, tag, build):
    assert name(resolved("580", cc=["8.0"], glibc=["2.28"], version=version, tag=tag).choice) == build


def test_what_is_asked_for_and_does_not_suit_has_a_reason():
    found = resolved("510.47", cc=["8.0"], glibc=["2.17"], version="2.7.1", tag="cu118")
    assert found.choice is None
    assert groups(found.rejected) == (Group(("2.7.1 (cu118)",), ("needs glibc 2.28; here it is 2.17",)),)
    assert alternatives(found)[0].startswith("torch 2.6.0+cu118 suits")


def test_the_index_of_the_tutorial_is_refused_for_a_python_of_today():
    """cu116 ends with torch 1.13, which ends with Python 3.10; with an old Python it can be had."""
    machine = {"driver": "510.47", "cuda": "11.6", "cc": ["8.0"], "glibc": ["2.17"], "tag": "cu116"}
    found = resolved(**machine, python="3.11")
    assert found.choice is None
    assert groups(found.rejected) == (
        Group(("1.12.0 to 1.13.1 (cu116)",), ("is made for Python 3.7 to 3.10; here it is 3.11",)),
    )
    assert name(resolved(**machine, python="3.10").choice) == "1.13.1+cu116"


def test_unsure_builds_are_taken_when_one_says_so():
    machine = {"driver": "580", "cc": ["7.0"], "glibc": ["2.28"], "python": "3.12"}
    assert name(resolved(**machine).choice) == "2.14.1+cu126"
    found = resolved(**machine, unsure=True)
    assert name(found.choice) == "2.15.0+cu126"
    assert any(text.startswith("not certain: ") for text in notes(found))


def test_a_version_newer_than_the_table_can_be_asked_for():
    """Somebody who comes later than the table is not held up, and is told what is only assumed."""
    found = resolved("580", cc=["9.0"], glibc=["2.28"], version="3.1.4", companions=["torchvision"])
    assert name(found.choice) == "3.1.4+cu130"
    assert list(pip_requirements(found.choice, found.wish, found.table)) == ["torch==3.1.4+cu130", "torchvision"]
    assert any("newer than this table" in text for text in notes(found))
    assert resolved("510.47", version="3.1.4").choice is None


def test_the_oldest_of_several_c_libraries_counts():
    assert name(resolved("510.47", glibc=["2.34", "", "2.17"]).choice) == "2.6.0+cu118"


def test_what_is_not_known_is_said():
    assert notes(resolved("510.47")) == (
        "the compute capability of the GPUs is not known, so it was not checked",
        "the C library is not known, so it was not checked",
    )
    assert "driver 580 knows CUDA 13.0 itself; 11.6 was given" in notes(resolved("580", "11.6"))


def test_ptx_serves_a_newer_gpu_only_under_a_driver_that_knows_the_toolkit():
    """A GPU of a generation that no build has code for."""
    assert name(resolved("610", "13.3", ["13.0"], ["2.28"]).choice) == "2.15.0+cu132"
    assert name(resolved("580", "13.0", ["13.0"], ["2.28"]).choice) == "2.15.0+cu130"
    assert name(resolved("570", "12.8", ["13.0"], ["2.28"]).choice) == "2.7.1+cu128"
    found = resolved("535", "12.2", ["13.0"], ["2.28"])
    assert found.choice is None
    assert any("served by PTX only" in reason.words for one in found.rejected for reason in one.reasons)


BAD = [
    ({"driver": "12.2"}, "looks like a CUDA version"),
    ({"driver": "R510"}, "such as"),
    ({"cuda": "12"}, "is not a CUDA version"),
    ({"cc": ["80"]}, 'written like "8.0"'),
    ({"cc": ["sm_80"]}, "is not a compute capability"),
    ({"glibc": ["217"]}, 'written like "2.17"'),
    ({"python": "2.7"}, "is not a version of Python 3"),
    ({"python": "311"}, 'written like "3.11"'),
    ({"version": "latest"}, "is not understood"),
    ({"version": "2.4.1+cu121", "tag": "cu118"}, "is a build for cu121, and cu118 is asked for"),
]


@pytest.mark.parametrize(("given", "said"), BAD)
def test_bad_input_is_refused_with_how_it_is_written(given, said):
    with pytest.raises(ValueError, match=re.escape(said)):
        resolved(**given)


@pytest.mark.parametrize("text", ["3.11", "3.11.4", "==3.11", "=3.11", "3.11.*"])
def test_python_may_be_written_as_environments_are_declared(text):
    assert read_machine(python=text).python == "3.11"
