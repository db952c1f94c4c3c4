"""The Pythons that the roles bring by default, against the torch of an old cluster."""

from __future__ import annotations

from pathlib import Path

import pytest
from scupi_provision.gpu.machine import read_machine, read_wish
from scupi_provision.gpu.resolver import resolve
from scupi_provision.gpu.torch_builds import torch_builds
from scupi_provision.source import MappingNode
from scupi_provision.source.reader import read_document

ROLES = Path(__file__).parents[2] / "roles"
TUTORIALS_CLUSTER = {"driver": "510.47.03", "cuda": "11.6", "capabilities": ["8.0"], "glibc": ["2.17"]}


def _default(role: str, variable: str) -> str:
    node = read_document(ROLES / role / "defaults/main.yml")
    assert isinstance(node, MappingNode)
    return str(node.get(variable))


def _torch(python: str) -> str:
    machine = read_machine(**TUTORIALS_CLUSTER, python=python)
    choice = resolve(machine, read_wish(), torch_builds()).choice
    return "" if choice is None else choice.name


@pytest.mark.parametrize(("role", "variable"), [("conda_env", "conda_env_python"), ("python", "python_version")])
def test_the_default_pythons_take_the_torch_of_the_old_cluster(role: str, variable: str) -> None:
    """The newest that its driver and its C library allow, whatever the Python."""
    assert _torch(_default(role, variable)) == _torch("") == "2.6.0+cu118"


def test_the_python_of_the_old_tutorial_does_not() -> None:
    assert _torch("3.8") == "2.4.1+cu118"
