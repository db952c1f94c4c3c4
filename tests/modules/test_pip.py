"""pip: when it runs, with what, and what it refuses. No pip is started but in the test of its script."""

import subprocess

import pytest
from pydantic import ValidationError
from scupi_provision.host.memory import HOME, MemoryHost, Node
from scupi_provision.host.memory_planning import plan_on
from scupi_provision.host.record import TaskFailedError
from scupi_provision.modules.python.requirements import split_names
from scupi_provision.modules.registry import MODULES
from scupi_provision.shell.actions import Remove, Run
from scupi_provision.shell.entry import Kind

TREE = f"{HOME}/.provision/store/venv-env-12345678"
SITE = f"{TREE}/lib/python3.11/site-packages"


def host(*packages):
    nodes = {f"{SITE}/{package}.dist-info/METADATA": Node(Kind.FILE) for package in ("pip-24.0", *packages)}
    return MemoryHost({
        **nodes,
        f"{TREE}/pyvenv.cfg": Node(Kind.FILE),
        f"{HOME}/env": Node(Kind.LINK, target=TREE),
    })  # fmt: skip


def planned(memory, /, **args):
    parsed = MODULES["pip"].args.model_validate({"virtualenv": "~/env", **args})
    return plan_on(memory, lambda view: MODULES["pip"].plan(parsed, view))


def call(plan):
    return " ".join(plan.record.actions[-1].argv)


@pytest.mark.parametrize(
    ("installed", "wanted"),
    [
        ("torch-2.13.0+cpu", "torch==2.13.0"),
        ("torch-2.13.0", "torch"),
        ("Typing_Extensions-4.12.2", "typing-extensions>=4,<5"),
        ("numpy-2.1.0rc1", "numpy>=2"),
        ("requests-2.32.0", "requests[socks]>=2"),
    ],
)
def test_what_is_installed_starts_no_pip(installed, wanted):
    plan = planned(host(installed), name=wanted)
    assert not plan.result.changed
    assert plan.record.actions == []


@pytest.mark.parametrize("installed", ["numpy-1.26.4", "numpy_financial-2.0.0"])
def test_what_is_missing_or_does_not_fit_is_installed(installed):
    plan = planned(host(installed), name=["numpy>=2", "pip"])
    assert plan.result.changed
    assert "install 'numpy>=2'" in call(plan).replace("'\\''", "'")
    assert plan.record.diffs[-1].summary == "pip: install numpy>=2"


def test_markers_are_judged_for_the_environment_s_python():
    assert not planned(host(), name='tomli; python_version < "3.11"').result.changed
    assert planned(host(), name='tomli; python_version >= "3.11"').result.changed


def test_the_index_is_told_by_environment_and_not_on_the_command_line():
    plan = planned(host(), name="torch", index_url="https://user:secret@index.example/simple", only_binary=True)
    run = plan.record.actions[-1]
    assert "secret" not in " ".join(run.argv)
    assert dict(run.environment)["PROVISION_PLACES"].endswith("index.example/simple")
    assert dict(run.environment)["PYTHONNOUSERSITE"] == "1"
    assert "--only-binary :all:" in call(plan)


def test_an_earlier_result_is_taken_only_when_it_began_from_the_same_packages():
    """Else a package that was removed by hand would stay away: the old job's result would count for the new one."""
    hosts = (host(), host("numpy-2.0"), host())
    keys = [planned(memory, name="torch").record.actions[-1].durable_key for memory in hosts]
    assert keys[0] != keys[1]
    assert keys[0] == keys[2]
    memory = host()
    (stamp,) = planned(memory, name="torch").record.actions[-1].creates
    memory.put(stamp, b"")
    assert [type(action) for action in planned(memory, name="torch").record.actions] == [Remove, Run]


def test_a_venv_of_the_same_plan_gets_its_packages():
    def both(view):
        venv = MODULES["venv"].args.model_validate({"path": "~/env"})
        MODULES["venv"].plan(venv, view)
        pip = MODULES["pip"].args.model_validate({"virtualenv": "~/env", "name": "torch"})
        return MODULES["pip"].plan(pip, view)

    plan = plan_on(MemoryHost(), both)
    assert plan.result.changed
    python = next(part for part in call(plan).split() if part.startswith("python="))
    assert python.startswith(f"python={HOME}/.provision/store/venv-env-")


def test_a_second_task_does_not_trust_what_was_read_before_the_first():
    def both(view):
        for name in ("numpy", "torch"):
            args = MODULES["pip"].args.model_validate({"virtualenv": "~/env", "name": name})
            result = MODULES["pip"].plan(args, view)
            view.commit()
            view.begin("next")
        return result

    assert plan_on(host("torch-2.0"), both).result.changed


def test_several_places_are_one_task():
    places = ["https://one.example/simple", "https://two.example/simple find-links:https://two.example/wheels/cu118"]
    run = planned(host(), name="torch", index_url=places).record.actions[-1]
    assert dict(run.environment)["PROVISION_PLACES"].splitlines() == places


def test_a_conda_environment_is_one_too():
    nodes = {f"{HOME}/conda/conda-meta/history": Node(Kind.FILE)}
    memory = MemoryHost(
        {**nodes, f"{HOME}/conda/lib/python3.11/site-packages/numpy-2.0.dist-info/METADATA": Node(Kind.FILE)}
    )
    assert not planned(memory, name="numpy", virtualenv="~/conda").result.changed
    assert planned(memory, name="torch", virtualenv="~/conda").result.changed


def test_needs_a_venv():
    with pytest.raises(TaskFailedError, match="make it first"):
        planned(MemoryHost(), name="torch")


def test_absent():
    assert not planned(host(), name="torch", state="absent").result.changed
    plan = planned(host("torch-2.0"), name="torch", state="absent")
    assert "uninstall --yes torch" in call(plan)


def test_latest_always_asks_pip():
    plan = planned(host("torch-2.0"), name="torch", state="latest")
    assert plan.result.changed
    assert plan.result.unprovable
    assert "--upgrade torch" in call(plan)


def test_a_requirements_file_is_remembered_by_its_content():
    memory = host()
    memory.put(f"{HOME}/r.txt", b"torch\n")
    plan = planned(memory, requirements="~/r.txt")
    assert f"--requirement {HOME}/r.txt" in call(plan)
    (stamp,) = plan.record.actions[-1].creates
    assert stamp.startswith(f"{TREE}/.provision/requirements-")
    memory.put(stamp, b"")
    memory.put(f"{SITE}/torch-2.6.0.dist-info/METADATA", b"")
    assert not planned(memory, requirements="~/r.txt").result.changed
    memory.put(f"{HOME}/r.txt", b"torch\nnumpy\n")
    assert planned(memory, requirements="~/r.txt").result.changed


def test_version_makes_the_name_exact():
    assert planned(host("torch-2.0"), name="torch", version="2.1").result.values["name"] == ["torch==2.1"]


def test_commas_inside_one_requirement_do_not_separate():
    assert split_names("a>=1,<2, b[x,y]==3,c") == ["a>=1,<2", "b[x,y]==3", "c"]


@pytest.mark.parametrize(
    ("args", "why"),
    [
        ({"name": "torch", "extra_index_url": "https://x.example"}, "dependency confusion"),
        ({"name": "torch", "index_url": "https://a.example https://b.example"}, "dependency confusion"),
        ({"name": "torch", "index_url": ["pypi.org/simple"]}, "is not the URL of an index"),
        ({"name": "torch", "index_url": "find-links:wheels"}, "neither a URL nor an absolute path"),
        ({"name": "torch", "index_url": [" "]}, "an empty text is no index"),
        ({"name": "torch", "state": "forcereinstall"}, "changes something in every run"),
        ({"name": "torch", "editable": True}, "may change"),
        ({"name": "./local.whl"}, "is not a requirement"),
        ({}, "exactly one of name and requirements"),
        ({"requirements": "~/r", "state": "absent"}, "needs names"),
        ({"name": ["a", "b"], "version": "1"}, "one name"),
    ],
)
def test_refuses(args, why):
    with pytest.raises(ValidationError, match=why):
        planned(host(), **args)


@pytest.mark.parametrize("extra", ["--extra-index-url=https://x.example", "-e .", "--user"])
def test_refuses_the_same_in_extra_args(extra):
    with pytest.raises(TaskFailedError, match="is refused"):
        planned(host(), name="torch", extra_args=extra)


@pytest.mark.parametrize("status", [0, 1])
def test_the_stamp_is_written_only_when_pip_ended_well(tmp_path, status):
    plan = planned(host(), name="torch")
    python = tmp_path / ".provision/store/venv-env-12345678/bin/python"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\necho "$@" > "{tmp_path}/said"\nexit {status}\n')
    python.chmod(0o755)
    run = plan.record.actions[-1]
    done = subprocess.run([word.replace(HOME, str(tmp_path)) for word in run.argv], check=False)
    assert done.returncode == status
    assert (tmp_path / "said").read_text() == "-m pip install torch\n"
    stamp = run.creates[0].replace(HOME, str(tmp_path))
    assert (tmp_path / stamp).exists() is (status == 0)


@pytest.mark.parametrize("name", ["executable", "virtualenv_command", "virtualenv_python", "umask"])
def test_arguments_of_ansible_that_have_no_place_are_refused_by_name(name):
    with pytest.raises(ValidationError, match="is refused"):
        planned(host(), name=["six"], **{name: "x"})
