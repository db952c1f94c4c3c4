"""Both roads of the tutorial, whole, on one real cluster: everything is built on admin1 and proved on gpu2.

gpu2 has no python, git or compiler and no way out; the account is unprivileged; the servers are OpenSSH's. The tarballs
of CPython and git and the wheels are real. One home for both roads, so that git and Python are compiled once.
"""

from __future__ import annotations

import pytest
from newcomer import CHECKOUT, Newcomer
from processes import CannotTraceError, started_programs, unwanted
from scupi_provision.lab.real.control import reset, up

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1500)]

_FETCH_AND_BUILD_S = 1200.0
_ROADS = ("source", "site")


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """A lab whose mirror has everything."""
    directory = tmp_path_factory.mktemp("whole") / "lab"
    yield up(directory=directory)
    reset(directory=directory)


@pytest.fixture(scope="module")
def apply(cluster, tmp_path_factory):
    """`apply(road)`: what two applies of its playbook said, and what the second started on the hosts."""
    home = tmp_path_factory.mktemp("person")
    person = Newcomer(home, cluster.directory, CHECKOUT)
    done = {}

    def once(road):
        arguments = ("apply", f"{road}.yaml", "-i", cluster.inventory, "--json")
        first = person.run(*arguments, patience_s=_FETCH_AND_BUILD_S)
        try:
            with (
                started_programs(cluster.nodes["admin1"]) as on_admin,
                started_programs(cluster.nodes["gpu2"]) as on_gpu,
            ):
                second = person.run(*arguments)
        except CannotTraceError as error:
            pytest.skip(str(error))
        return first, second, {"admin1": on_admin, "gpu2": on_gpu}

    def remembered(road):
        # In this order: the roads share what they build.
        for each in _ROADS[: _ROADS.index(road) + 1]:
            if each not in done:
                done[each] = once(each)
        return done[road]

    return remembered


@pytest.mark.parametrize("road", _ROADS)
def test_all_is_made_on_admin1_and_proved_on_gpu2(apply, road):
    first, _, _ = apply(road)
    assert first.code == 0, first.stdout[-4000:] + first.stderr
    assert [(proof["host"], proof["remaining"]) for proof in first.of("Proved")] == [("admin1", [])]
    checks = first.of("CheckFinished")
    assert {check["host"] for check in checks} == {"gpu2"}
    assert all(check["passed"] for check in checks)
    assert len(checks) >= 20
    names = [check["task"]["name"] for check in checks]
    for claim in ("git --version", "python starts", "torch multiplies"):
        assert any(claim in name for name in names), claim


def test_the_source_road_compiles_python_and_git_and_the_site_road_finds_its_git_there(apply, cluster):
    source, site = apply("source")[0], apply("site")[0]
    version = {name: cluster.variables[f"{name}_version"] for name in ("python", "git")}
    built = {f"Build Python {version['python']} from its source", f"Build git {version['git']} from its source"}
    assert built <= {name for _, _, name, _ in source.changes()}
    assert not [name for _, role, name, _ in site.changes() if role == "git"]


@pytest.mark.parametrize("road", _ROADS)
def test_a_second_apply_changes_nothing_and_the_proof_stands(apply, road):
    _, second, _ = apply(road)
    assert second.code == 0, second.stderr
    assert second.changes() == []
    assert [(proof["host"], proof["remaining"]) for proof in second.of("Proved")] == [("admin1", [])]
    assert [proof["host"] for proof in second.of("Verified")] == ["gpu2"]


@pytest.mark.parametrize("road", _ROADS)
def test_a_second_apply_starts_no_interpreter_and_no_builder_on_either_node(apply, road):
    _, _, programs = apply(road)
    for node, counts in programs.items():
        assert counts["sshd"], f"a login on {node} must have been seen, or nothing was counted"
        assert not any(unwanted(counts).values()), (node, counts)
        assert not counts.keys() & {"conda", "mamba", "micromamba", "perl", "gcc"}, (node, counts)


@pytest.mark.parametrize("node", ["admin1", "gpu2"])
def test_what_was_built_is_what_a_person_finds_after_logging_in(apply, cluster, said, node):
    apply("site")
    git, home = cluster.variables["git_version"], cluster.account_home
    lines = said(
        cluster, node, "bash -lc 'git --version; command -v git; conda activate torch; command -v python'"
    ).split("\n")
    assert lines[0] == f"git version {git}"
    assert lines[1].startswith(f"{home}/.provision/store/git-{git}-")
    assert lines[2] == f"{home}/miniforge3/envs/torch/bin/python"


def test_both_environments_compute_on_gpu2(apply, cluster, said):
    apply("site")
    program = "import torch; a = torch.eye(64); print(torch.__version__, (a @ a).sum().item())"
    for python in ("envs/torch/bin/python", "miniforge3/envs/torch/bin/python"):
        version, total = said(cluster, "gpu2", f"~/{python} -c '{program}'").split()
        assert version.startswith(str(cluster.variables["torch_version"]))
        assert total == "64.0"
