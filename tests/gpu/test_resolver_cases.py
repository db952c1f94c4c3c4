"""Which torch suits which machine: worked cases as data."""

from __future__ import annotations

import pytest
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
