"""The role conda: which conda, from where, and for which C library, on nodes old and new. Nothing is installed."""

from __future__ import annotations

from pathlib import Path

import pytest
from old_clusters import CENTOS_7, DEBIAN_12
from scupi_provision.host.memory import MemoryHost
from scupi_provision.shell.actions import Fetch, Run

ROLES = Path(__file__).parents[2] / "roles"
MINIFORGE = "https://github.com/conda-forge/miniforge/releases/download/26.3.2-3/Miniforge3-26.3.2-3-Linux-x86_64.sh"


@pytest.fixture
def role(plays):
    """`role(facts, glibc, **variables)`: the steps of the role on a login node with these facts, and a GPU node."""
    (plays.folder / "roles").symlink_to(ROLES)

    def plan(facts, glibc="2.17", **variables):
        plays.memory = MemoryHost(facts=facts)
        plays.extra = {"hostvars": {"gpu2": {"ansible_facts": {"glibc": glibc}}}, **variables}
        return plays.check("- hosts: all\n  roles: [conda]\n").steps

    return plan


def installing(steps):
    (step,) = (step for step in steps if step.label.module == "conda_install" and step.actions)
    return step


def download(step):
    return next(action for action in step.actions if isinstance(action, Fetch))


def script(step):
    return next(action.argv[2] for action in step.actions if isinstance(action, Run))


def failure(steps):
    (message,) = (step.message for step in steps if step.outcome.value == "failed")
    return message


def test_by_default_it_is_one_miniforge_by_its_hash(role):
    fetched = download(installing(role(CENTOS_7)))
    assert fetched.urls == (MINIFORGE,)
    assert fetched.sha256 == "848194851a98903134187fbb4ab50efe87b003e0c0f808f97644b7524a62bf2c"


@pytest.mark.parametrize(
    ("login", "gpu", "decides"),
    [(CENTOS_7, "2.28", "2.17"), (DEBIAN_12, "2.17", "2.17"), (DEBIAN_12, "2.28", "2.28"), (DEBIAN_12, "", "2.36")],
    ids=["login older", "gpu older", "both newer", "gpu not glibc"],
)
def test_the_older_c_library_of_both_nodes_decides(role, login, gpu, decides):
    assert f"glibc={decides}\n" in script(installing(role(login, gpu)))


def test_a_version_whose_content_is_not_known_is_refused(role):
    message = failure(role(CENTOS_7, conda_version="99.1.0-0"))
    assert "there is no hash for miniforge 99.1.0-0" in message
    assert "26.3.2-3" in message


def test_minicondas_terms_are_the_students_to_accept(role):
    assert "Anaconda's terms of service" in failure(role(CENTOS_7, conda_distribution="miniconda"))
    agreed = role(CENTOS_7, conda_distribution="miniconda", conda_accept_anaconda_tos=True)
    assert download(installing(agreed)).urls[0].startswith("https://repo.anaconda.com/miniconda/Miniconda3-py312_")


def test_shells_get_the_lines_that_load_conda_in_place_of_conda_init(role):
    steps = role(CENTOS_7)
    assert [step.label.module for step in steps if step.actions] == [
        "conda_install",
        "path_entry",
        "shell_init",
        "generation",
    ]
    assert not any(
        "conda init" in action.argv[-1] for step in steps for action in step.actions if isinstance(action, Run)
    )
