"""The roles python and python_venv: which Python, how, and with which pip, on hosts old and new. Nothing is built."""

from pathlib import Path

import pytest
from old_clusters import BARE, CENTOS_7, DEBIAN_12, without
from scupi_provision.host.memory import HOME, MemoryHost, Node
from scupi_provision.shell.actions import Fetch, Link, Remove, Run
from scupi_provision.shell.entry import Kind

ROLES = Path(__file__).parents[2] / "roles"
STANDALONE = (
    "https://github.com/astral-sh/python-build-standalone/releases/download/20260814/"
    "cpython-3.12.14%2B20260814-x86_64-unknown-linux-gnu-install_only_stripped.tar.gz"
)


@pytest.fixture
def role(plays):
    """`role(facts, *roles, **variables)`: the steps of the roles on a host with these facts."""
    (plays.folder / "roles").symlink_to(ROLES)

    def plan(facts, *roles, **variables):
        plays.memory = MemoryHost(facts=facts)
        plays.extra = variables
        return plays.check(f"- hosts: all\n  roles: [{', '.join(roles or ('python',))}]\n").steps

    return plan


def of(steps, module):
    """The steps of a module that would do something."""
    return [step for step in steps if step.label.module == module and step.actions]


def failure(steps):
    (message,) = (step.message for step in steps if step.outcome.value == "failed")
    return message


def download(step):
    return next(action for action in step.actions if isinstance(action, Fetch))


def line(step, variable):
    """What its programs are told under this name."""
    script = "".join(action.argv[2] for action in step.actions if isinstance(action, Run))
    return next(text for text in script.splitlines() if text.startswith(f"{variable}="))


@pytest.mark.parametrize("facts", [CENTOS_7, DEBIAN_12, BARE], ids=["centos7", "debian12", "bare"])
def test_by_default_python_comes_ready_made_which_every_host_can_run(role, facts):
    steps = role(facts)
    (step,) = of(steps, "prebuilt")
    assert of(steps, "source_build") == []
    assert download(step).urls == (STANDALONE,)
    assert "import ssl, ctypes, zlib" in line(step, "checks")


def test_of_the_version_the_first_two_numbers_choose_the_ready_made_build(role):
    (step,) = of(role(CENTOS_7, python_version="3.11.13"), "prebuilt")
    assert download(step).urls[0].endswith("/cpython-3.11.16%2B20260814-x86_64-unknown-linux-gnu-install_only.tar.gz")
    own = {"version": "3.10.1", "date": "20300101", "sha256": "e" * 64}
    (step,) = of(role(CENTOS_7, python_version="3.10", python_standalone=own), "prebuilt")
    assert "/20300101/cpython-3.10.1%2B20300101-" in download(step).urls[0]


def test_from_source_what_the_standard_library_takes_is_asked_for_before_it_begins(role):
    (step,) = of(role(DEBIAN_12, python_from="source"), "source_build")
    assert download(step).urls[0] == "https://www.python.org/ftp/python/3.12.11/Python-3.12.11.tar.xz"
    for need in ("header:openssl/ssl.h", "header:ffi.h", "header:zlib.h", "libssl-dev", "openssl-devel"):
        assert need in line(step, "needs")
    assert "python_from: standalone" in line(step, "advice")
    assert "import ssl" in line(step, "checks")


def test_only_the_headers_of_the_modules_that_are_asked_for(role):
    (step,) = of(role(DEBIAN_12, python_from="source", python_modules=["zlib", "json"]), "source_build")
    assert "header:zlib.h" in line(step, "needs")
    assert "ffi.h" not in line(step, "needs")


@pytest.mark.parametrize("version", ["3.12.11", "3.10.18"])
def test_an_openssl_that_is_too_old_is_refused_before_anything_is_downloaded(role, version):
    """The build would end well, without ssl, and pip could fetch nothing."""
    steps = role(CENTOS_7, python_from="source", python_version=version)
    message = failure(steps)
    for word in (f"Python {version} needs OpenSSL 1.1.1", "1.0.2k", "python_from: standalone", "Python 3.9"):
        assert word in message
    assert not any(step.actions for step in steps if step.label.role == "python")


@pytest.mark.parametrize(
    "variables",
    [
        {"python_version": "3.9.23"},
        {"python_openssl": f"{HOME}/openssl"},
        {"python_modules": ["zlib"]},
    ],
    ids=["python 3.9", "own openssl", "no ssl"],
)
def test_an_old_openssl_is_enough_for_some(role, variables):
    assert len(of(role(CENTOS_7, python_from="source", **variables), "source_build")) == 1


def test_ones_own_openssl_is_named_to_configure_and_to_the_planner(role):
    (step,) = of(role(CENTOS_7, python_from="source", python_openssl=f"{HOME}/openssl"), "source_build")
    assert f"--with-openssl={HOME}/openssl --with-openssl-rpath=auto" in line(step, "configure")
    assert step.actions[-1].uses == (f"{HOME}/openssl",)


@pytest.mark.parametrize(
    ("facts", "module", "why"),
    [
        (DEBIAN_12, "source_build", None),
        (CENTOS_7, "prebuilt", "OpenSSL 1.0.2k (Python 3.12.11 needs 1.1.1); the compiler gcc 4.8.5"),
        (BARE, "prebuilt", "no C compiler; no header openssl/ssl.h, ffi.h"),
        (without(DEBIAN_12, "ffi.h"), "prebuilt", "no header ffi.h"),
    ],
    ids=["debian12", "centos7", "bare", "no ffi"],
)
def test_auto_compiles_where_that_can_be_done_and_says_why_not(role, facts, module, why):
    steps = role(facts, python_from="auto")
    assert len(of(steps, module)) == 1
    said = [step.message for step in steps if step.label.module == "debug" and step.label.role == "python"]
    told = [message for message in said if message]
    assert (why is None and not any("taken ready made" in text for text in told)) or any(why in text for text in told)


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"python_from": "source", "python_version": "3.12.0"}, ["python_sha256 is not given", "3.12.11"]),
        ({"python_version": "3.14.0"}, ["ready-made builds of 3.13, 3.12, 3.11 for x86_64 only", "python_standalone"]),
    ],
)
def test_what_is_not_known_by_its_hash_is_refused(role, variables, words):
    message = failure(role(DEBIAN_12, **variables))
    assert [word for word in words if word not in message] == []


def links(steps):
    return {action.path for step in steps for action in step.actions if isinstance(action, Link)}


def paths(steps):
    """What `path_entry` would put on PATH."""
    return [step.label.name for step in of(steps, "path_entry")]


def test_shells_find_it_by_its_version_and_python3_stays_what_it_was(role):
    steps = role(DEBIAN_12)
    found = {Path(path).name for path in links(steps) if "/bin/" in path}
    assert found == {"python3.12", "pip3.12"}
    assert paths(steps) == ["Put single programs on the PATH of new shells"]


def test_links_of_an_earlier_choice_go(role, plays):
    first = role(DEBIAN_12)
    assert links(first)
    plays.memory.nodes[f"{HOME}/.provision/bin/python3.12"] = Node(Kind.LINK, target="/x")
    plays.extra = {"python_on_path": "none"}
    gone = [a for step in plays.check("- hosts: all\n  roles: [python]\n").steps for a in step.actions]
    assert [action.path for action in gone if isinstance(action, Remove)] == [f"{HOME}/.provision/bin/python3.12"]


def test_shells_find_it_first_or_not_at_all_when_asked(role):
    assert paths(role(DEBIAN_12, python_on_path="first")) == [
        "Put Python 3.12 before the system's on the PATH of new shells"
    ]
    none = role(DEBIAN_12, python_on_path="none")
    assert (paths(none), links(none)) == ([], set())


# --- python_venv -----------------------------------------------------------------------------------------------------


def test_the_environment_is_made_of_that_python(role):
    steps = role(DEBIAN_12, "python", "python_venv")
    (made,) = of(steps, "venv")
    prefix = next(action.creates[0] for action in of(steps, "prebuilt")[0].actions if isinstance(action, Run))
    assert line(made, "python") == f"python={prefix.removesuffix('.ok')}bin/python3.12"


def test_without_that_role_it_is_made_of_the_python_of_the_host(role):
    (made,) = of(role(DEBIAN_12, "python_venv"), "venv")
    assert line(made, "python") == "python=python3"


@pytest.mark.parametrize(("facts", "wheels_only"), [(CENTOS_7, True), (DEBIAN_12, False)], ids=["glibc 2.17", "2.36"])
def test_on_an_old_c_library_pip_takes_wheels_only(role, facts, wheels_only):
    """There the newest numpy has none, and pip would begin to compile it."""
    step = of(role(facts, "python_venv", venv_packages=["numpy"]), "pip")[-1]
    assert ("--only-binary" in line(step, "arguments")) is wheels_only


def test_pip_is_made_new_enough_for_todays_wheels(role):
    step = of(role(DEBIAN_12, "python_venv"), "pip")[0]
    assert "pip>=20.3" in line(step, "arguments")


def test_uv_gets_an_environment_of_its_own_and_makes_the_other(role):
    steps = role(DEBIAN_12, "python_venv", venv_with="uv", venv_with_version="==0.13.9")
    tool, made = of(steps, "venv")
    assert "/store/venv-uv-" in line(tool, "tree")
    assert line(made, "program") == f"program={HOME}/.provision/tools/uv/bin/uv"
    assert "uv==0.13.9" in line(of(steps, "pip")[0], "arguments")


def test_a_requirements_file_beside_the_playbook_is_carried_there(role, plays):
    (plays.folder / "requirements.txt").write_text("numpy==2.2.6\n")
    steps = role(CENTOS_7, "python_venv", venv_requirements="requirements.txt")
    step = of(steps, "pip")[-1]
    told = line(step, "arguments")
    assert told.endswith(f"--only-binary :all: --requirement {HOME}/.provision/requirements/torch.txt'")


def test_hashes_are_insisted_on(role, plays):
    (plays.folder / "requirements.txt").write_text("numpy==2.2.6\n")
    steps = role(CENTOS_7, "python_venv", venv_requirements="requirements.txt", venv_require_hashes=True)
    assert "has none for numpy==2.2.6" in failure(steps)
