"""conda_install: what it plans for every state in which a prefix can be."""

import re

import pytest
from conda_hosts import PREFIX, host, planned, runs, setting, summaries, with_conda
from pydantic import ValidationError
from scupi_provision.host.memory import FACTS, HOME, MemoryHost, Node
from scupi_provision.host.record import TaskFailedError
from scupi_provision.shell.actions import Fetch, Mkdir, Run, WriteFile
from scupi_provision.shell.entry import Kind

SHA = "ab" * 32
GIVEN = {
    "path": "~/miniforge3",
    "version": "26.3.2-3",
    "urls": ["https://mirror.example/26.3.2-3/Miniforge3-26.3.2-3-Linux-x86_64.sh", "https://other.example/m.sh"],
    "sha256": SHA,
}
MARK = f"{PREFIX}/.provision/conda.json"


def plan(memory, **more):
    return planned("conda_install", memory, **{**GIVEN, **more})


def claim_of(memory):
    return setting(runs(plan(memory))[0], "claim")


def test_into_an_absent_prefix_it_is_downloaded_and_installed_by_one_durable_program():
    made = plan(host())
    assert [type(action) for action in made.record.actions] == [Mkdir, Fetch, Run]
    fetch, run = made.record.actions[1:]
    assert fetch.path == f"{HOME}/.provision/cache/{SHA[:16]}-Miniforge3-26.3.2-3-Linux-x86_64.sh"
    assert (fetch.urls, fetch.sha256) == (tuple(GIVEN["urls"]), SHA)
    assert re.fullmatch(r"conda-[0-9a-f]{8}", run.durable_key)
    assert run.creates == (MARK, f"{PREFIX}/bin/conda", f"{PREFIX}/conda-meta/history")
    assert run.writes == (PREFIX, claim_of(host()).rpartition("/")[0], f"{HOME}/.conda")
    assert summaries(made)[-1] == "install miniforge 26.3.2-3 in ~/miniforge3"
    assert made.result.values == {
        "prefix": PREFIX, "conda": f"{PREFIX}/bin/conda", "distribution": "miniforge", "version": "26.3.2",
    }  # fmt: skip


@pytest.mark.parametrize("mark", [True, False], ids=["ours", "the user's"])
def test_a_working_conda_is_used_as_it_is(mark):
    memory = with_conda(host(*([MARK] if mark else [])))
    made = plan(memory, version="25.3.1-0")
    assert (made.result.changed, made.record.actions) == (False, [])
    assert made.result.values["version"] == "26.3.2"


def test_another_version_is_installed_over_it_only_when_asked():
    made = plan(with_conda(host()), version="26.5.0-1", update=True)
    assert setting(runs(made)[0], "update") == "yes"
    assert summaries(made)[-1] == "update miniforge 26.5.0-1 in ~/miniforge3"
    assert not plan(with_conda(host()), update=True).result.changed


def test_what_our_interrupted_run_has_left_is_taken_up_again():
    memory = host(f"{PREFIX}/_conda", claim_of(host()))
    assert setting(runs(plan(memory))[0], "update") == ""


def test_a_finished_looking_prefix_without_our_mark_is_not_trusted_while_our_claim_stands():
    memory = with_conda(host(claim_of(host())))
    assert plan(memory).result.changed


def test_the_tutorials_empty_folder_does_not_matter():
    memory = host()
    memory.nodes[PREFIX] = Node(Kind.DIRECTORY)
    assert plan(memory).result.changed


@pytest.mark.parametrize(
    ("paths", "message"),
    [
        ([f"{PREFIX}/miniconda.sh"], "is no working conda"),
        ([f"{PREFIX}/conda-meta/history", f"{PREFIX}/pkgs/x"], "is no working conda"),
        ([PREFIX], "is no working conda"),
        ([MARK, f"{PREFIX}/envs/mine/bin/python"], "Environments in it may still be yours"),
    ],
    ids=["an installer", "half a conda of the user's", "a file", "ours, broken"],
)
def test_anything_else_is_left_and_told(paths, message):
    with pytest.raises(TaskFailedError, match=message):
        plan(host(*paths))


def test_a_home_with_a_space_is_refused():
    with pytest.raises(TaskFailedError, match="space"):
        plan(MemoryHost(facts={**FACTS, "home": "/home/a student"}))


def test_the_older_c_library_decides_when_it_is_given():
    memory = MemoryHost(facts={**FACTS, "libc": "glibc 2.28"})
    assert setting(runs(plan(memory))[0], "glibc") == "2.28"
    assert setting(runs(plan(memory, glibc="2.17"))[0], "glibc") == "2.17"


def test_micromamba_is_one_program_and_a_file_that_activates():
    memory = MemoryHost(urls={"https://mirror.example/micromamba-linux-64": b"program"})
    more = {"distribution": "micromamba", "urls": "https://mirror.example/micromamba-linux-64"}
    made = plan(memory, **more)
    assert [type(action) for action in made.record.actions] == [Mkdir, Mkdir, Fetch, Mkdir, Mkdir, WriteFile]
    fetch, written = made.record.actions[2], made.record.actions[-1]
    assert (fetch.path, fetch.mode) == (f"{PREFIX}/bin/micromamba", 0o755)
    assert written.path == f"{PREFIX}/etc/profile.d/conda.sh"
    assert written.content.startswith(f"MAMBA_ROOT_PREFIX={PREFIX}\n".encode())
    memory.put(fetch.path, b"program", 0o755)
    memory.put(written.path, written.content)
    assert not plan(memory, **more).result.changed


@pytest.mark.parametrize(
    "wrong",
    [
        {"path": "~/my conda"},
        {"urls": []},
        {"urls": ["https://mirror.example/miniforge"]},
        {"sha256": "abc"},
        {"distribution": "anaconda"},
        {"distribution": "miniconda"},
    ],
)
def test_refuses_what_cannot_be_installed(wrong):
    with pytest.raises(ValidationError):
        plan(host(), **wrong)


def test_minicondas_terms_are_the_users_to_accept():
    assert plan(host(), distribution="miniconda", accept_anaconda_tos=True).result.changed
