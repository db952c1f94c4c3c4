"""conda_env: what it plans for every state of an environment. No conda is started."""

import shlex

import pytest
from conda_hosts import ENV, PREFIX, STORE, file, host, planned, runs, setting, summaries, with_conda, with_environment
from pydantic import ValidationError
from scupi_provision.host.memory import HOME, MemoryHost
from scupi_provision.host.memory_planning import plan_on
from scupi_provision.host.record import TaskFailedError
from scupi_provision.modules.registry import MODULES
from scupi_provision.shell.actions import Link, Mkdir, Remove, Run
from scupi_provision.shell.entry import ABSENT
from scupi_provision.shell.replies import RunReply

GIVEN = {"path": "~/miniforge3/envs/torch", "python": "3.11", "packages": ["pip", "numpy<2"]}
HAVE = ("python-3.11.9-h1_cpython", "pip-24.0-pyhd8ed1ab_0", "numpy-1.26.4-py311_0")


def plan(memory, **more):
    return planned("conda_env", memory, **{**GIVEN, **more})


def prefix_of(**more):
    return plan(with_conda(host()), **more).result.values["prefix"]


def there(*packages, recorded=None, **more):
    """A host on which the environment of these arguments is, with these packages in it."""
    prefix = prefix_of(**more)
    memory = with_environment(with_conda(host(links={ENV: prefix})), prefix, *(packages or HAVE), recorded=recorded)
    return memory, prefix


# --- making one -------------------------------------------------------------------------------------------------------


def test_a_new_one_is_made_hidden_and_appears_by_one_link():
    made = plan(with_conda(host()))
    assert [type(action) for action in made.record.actions] == [Run, Mkdir, Link]
    run, _, link = made.record.actions
    prefix = link.target
    assert prefix.startswith(f"{STORE}/conda-torch-")
    assert (run.writes[0], run.uses) == (prefix, (PREFIX,))
    assert f"{prefix}/.ok" in run.creates
    assert setting(run, "task") == "create"
    assert setting(run, "specs") == "python=3.11 pip 'numpy<2'"
    assert made.result.values["python"] == f"{ENV}/bin/python"
    assert summaries(made)[0] == "conda: make ~/miniforge3/envs/torch with python=3.11, pip, numpy<2"


def test_it_is_planned_together_with_the_conda_that_makes_it():
    """What a program makes is unknown to a plan; that nothing is below a prefix that is not there yet is known."""
    installing = MODULES["conda_install"].args.model_validate(
        {"path": PREFIX, "version": "26.3.2-3", "urls": ["https://mirror.example/m.sh"], "sha256": "ab" * 32}
    )
    wanted = MODULES["conda_env"].args.model_validate(GIVEN)

    def both(view):
        MODULES["conda_install"].plan(installing, view)
        view.commit()
        view.begin("the environment")
        return MODULES["conda_env"].plan(wanted, view)

    actions = plan_on(MemoryHost(), both).record.actions
    assert [type(action) for action in actions] == [Run, Link]
    assert (actions[1].path, actions[1].expect) == (ENV, ABSENT)


def test_it_is_solved_for_the_node_that_computes():
    run = runs(plan(with_conda(host()), cuda="12.2", glibc="2.17"))[0]
    assert dict(run.environment) == {"CONDA_OVERRIDE_CUDA": "12.2", "CONDA_OVERRIDE_GLIBC": "2.17"}


def test_channels_are_asked_at_every_source_in_turn_and_nowhere_else():
    more = {
        "channels": ["pytorch", "https://mirror.example/own"],
        "channel_urls": ["https://a.example/x/", "https://b.example"],
    }
    made = runs(plan(with_conda(host()), **more))[0]
    assert shlex.split(setting(made, "attempts")) == [
        "-c https://a.example/x/pytorch -c https://mirror.example/own",
        "-c https://b.example/pytorch -c https://mirror.example/own",
    ]
    assert shlex.split(setting(runs(plan(with_conda(host())))[0], "attempts")) == ["-c conda-forge"]


def test_without_conda_it_says_what_to_do():
    with pytest.raises(TaskFailedError, match="install it first"):
        plan(host())


def test_micromamba_will_do():
    assert plan(host(f"{PREFIX}/bin/micromamba")).result.changed


# --- one that is there ------------------------------------------------------------------------------------------------


def test_one_that_has_everything_starts_nothing():
    memory, _ = there(*HAVE, "scipy-1.13.0-py311_0")
    made = plan(memory)
    assert (made.result.changed, made.record.actions) == (False, [])
    assert made.result.values["before"] == sorted([*HAVE, "scipy-1.13.0-py311_0"])
    assert made.exchanges <= 4


def test_what_is_missing_is_installed_in_place_and_what_was_added_by_hand_stays():
    memory, prefix = there(*HAVE, "scipy-1.13.0-py311_0")
    made = plan(memory, packages=["pip", "numpy<2", "pandas>=2"])
    assert [type(action) for action in made.record.actions] == [Run]
    run = made.record.actions[0]
    assert (setting(run, "task"), setting(run, "prefix"), setting(run, "remove")) == ("change", prefix, "")
    assert summaries(made) == ["conda: install pandas>=2 into ~/miniforge3/envs/torch"]


def test_a_patch_of_python_is_taken_in_place_and_another_python_is_another_environment():
    memory, prefix = there()
    assert plan(memory, python="3.11.12").result.values["prefix"] == prefix
    made = plan(memory, python="3.12")
    assert made.result.values["prefix"] != prefix
    assert made.record.actions[-1].expect.target == prefix


def test_a_wider_condition_keeps_the_environment_that_fits():
    memory, prefix = there()
    assert plan(memory, python=">=3.10,<3.13").record.actions == []
    assert plan(memory, python=">=3.10,<3.13").result.values["prefix"] == prefix


def test_what_an_interrupted_run_has_left_is_made_anew():
    memory, prefix = there()
    memory.remove(f"{prefix}/.ok")
    assert setting(runs(plan(memory))[0], "task") == "create"


def test_an_environment_of_the_users_is_used_in_place():
    memory = with_environment(with_conda(host()), ENV, *HAVE)
    assert plan(memory).record.actions == []
    made = plan(memory, packages=["scipy"])
    assert setting(runs(made)[0], "prefix") == ENV
    assert [type(action) for action in made.record.actions] == [Run]


@pytest.mark.parametrize("path", [ENV, f"{ENV}/notes.txt"])
def test_anything_else_in_the_place_is_left_and_told(path):
    with pytest.raises(TaskFailedError, match="not ours to replace"):
        plan(with_conda(host(path)))


# --- exact ------------------------------------------------------------------------------------------------------------


def test_exact_removes_what_was_added_by_hand():
    memory, _ = there(*HAVE, "scipy-1.13.0-py311_0", recorded="\n".join(HAVE), exact=True)
    made = plan(memory, exact=True)
    assert (setting(runs(made)[0], "remove"), setting(runs(made)[0], "specs")) == ("scipy", "")
    assert summaries(made) == ["conda: remove scipy from ~/miniforge3/envs/torch"]


def test_exact_keeps_what_is_needed_though_not_asked_for():
    memory, _ = there(*HAVE, "libblas-3.9.0-0", recorded="\n".join([*HAVE, "libblas-3.9.0-0"]), exact=True)
    assert plan(memory, exact=True).record.actions == []


def test_exact_makes_another_environment_of_another_list():
    memory, prefix = there(recorded="\n".join(HAVE), exact=True)
    made = plan(memory, exact=True, packages=["pip"])
    assert made.result.values["prefix"] != prefix
    assert setting(runs(made)[0], "task") == "create"


# --- files ------------------------------------------------------------------------------------------------------------

LOCK = "\n".join(
    ["@EXPLICIT", *(f"https://conda.anaconda.org/conda-forge/linux-64/{name}.conda#{'ab' * 32}" for name in HAVE)]
)


def test_a_lock_is_installed_as_it_is():
    made = plan(with_conda(host()), python=None, packages=[], lock=file(LOCK, "lock.txt"))
    run = runs(made)[0]
    assert run.stdin.decode() == LOCK + "\n"
    assert (setting(run, "specs"), setting(run, "explicit")) == ("", "https://conda.anaconda.org")


def test_an_environment_as_locked_starts_nothing_and_another_version_is_replaced():
    more = {"python": None, "packages": [], "lock": file(LOCK, "lock.txt")}
    memory, prefix = there(**more)
    assert plan(memory, **more).record.actions == []
    other = file(LOCK.replace("numpy-1.26.4", "numpy-1.26.3"), "lock.txt")
    made = plan(memory, **{**more, "lock": other})
    assert made.result.values["prefix"] == prefix
    assert summaries(made) == ["conda: install numpy-1.26.3-py311_0 into ~/miniforge3/envs/torch"]


def test_an_environment_file_says_channels_packages_and_pip():
    text = "name: x\nchannels: [bioconda, nodefaults]\ndependencies: [python=3.11, 'numpy<2', pip: [einops]]\n"
    made = plan(with_conda(host()), packages=[], environment=file(text))
    conda, pip = runs(made)
    assert setting(conda, "specs") == "python=3.11 'numpy<2' pip"
    assert shlex.split(setting(conda, "attempts")) == ["-c bioconda"]
    assert setting(pip, "arguments") == "install einops"


# --- pip --------------------------------------------------------------------------------------------------------------


def test_packages_of_pip_are_installed_by_the_environments_python_where_they_are_missing():
    memory, prefix = there()
    memory.put(f"{prefix}/lib/python3.11/site-packages/einops-0.8.0.dist-info/METADATA", b"")
    assert plan(memory, pip=["einops>=0.7"]).record.actions == []
    made = plan(memory, pip=["einops>=0.9", "tqdm"], index_url="https://mirror.example/simple", only_binary=True)
    run = runs(made)[0]
    assert setting(run, "python") == f"{prefix}/bin/python"
    assert setting(run, "arguments") == "install --only-binary :all: 'einops>=0.9' tqdm"
    assert dict(run.environment)["PROVISION_PLACES"] == "https://mirror.example/simple"


# --- gone -------------------------------------------------------------------------------------------------------------


def test_absent_removes_ours_and_refuses_the_users():
    memory, prefix = there()
    gone = plan(memory, state="absent")
    assert [(type(action), action.path) for action in gone.record.actions] == [(Remove, ENV), (Remove, prefix)]
    assert not plan(with_conda(host()), state="absent").result.changed
    with pytest.raises(TaskFailedError, match="was not made by provision"):
        plan(with_environment(with_conda(host()), ENV), state="absent")


# --- what is registered, and what is refused --------------------------------------------------------------------------


def test_what_conda_has_changed_is_registered():
    module = MODULES["conda_env"]
    made = plan(with_conda(host()))
    said = RunReply(0, 0, b"== count ==\nfiles: 12\n- numpy-1.26.4-0\n+ numpy-2.1.0-0\n", b"", "")
    assert module.finish(None, made.result, (said,)).values["changes"] == ["- numpy-1.26.4-0", "+ numpy-2.1.0-0"]


@pytest.mark.parametrize(
    "source", [{"channels": ["defaults"]}, {"channels": ["https://repo.anaconda.com/pkgs/main"]},
               {"channels": ["https://conda.anaconda.org/main"]}, {"packages": ["main::numpy"]}],
)  # fmt: skip
def test_anacondas_channels_need_the_users_consent(source):
    with pytest.raises(TaskFailedError, match="terms of service"):
        plan(with_conda(host()), **source)
    consented = runs(plan(with_conda(host()), accept_anaconda_tos=True, **source))[0]
    assert dict(consented.environment) == {"CONDA_PLUGINS_AUTO_ACCEPT_TOS": "yes"}


@pytest.mark.parametrize(
    "wrong",
    [
        {"packages": ["numpy>="]},
        {"python": "three"},
        {"packages": ["python=3.12"]},
        {"pip": ["!"]},
        {"lock": file(LOCK)},
        {"environment": file("dependencies: [numpy]")},
        {"python": None, "packages": []},
        {"index_url": "nowhere"},
    ],
)
def test_refuses_what_cannot_be_asked(wrong):
    with pytest.raises(ValidationError):
        plan(with_conda(host()), **wrong)


def test_a_path_is_in_the_home():
    assert plan(with_conda(host()), path="~/envs/x").result.values["path"] == f"{HOME}/envs/x"
