"""venv: what it plans, and the script itself with this machine's Python."""

import os
import subprocess
import sys
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from scupi_provision.host.memory import FACTS, HOME, MemoryHost, Node
from scupi_provision.host.memory_planning import plan_on
from scupi_provision.host.record import TaskFailedError
from scupi_provision.modules.registry import MODULES
from scupi_provision.shell.actions import Link, Run
from scupi_provision.shell.entry import Kind


def planned(memory, **args):
    parsed = MODULES["venv"].args.model_validate({"path": "~/env", **args})
    return plan_on(memory, lambda host: MODULES["venv"].plan(parsed, host))


def tree_of(plan):
    return next(action.target for action in plan.record.actions if isinstance(action, Link))


def test_a_new_one_is_made_hidden_and_appears_by_one_link():
    plan = planned(MemoryHost())
    assert [type(action) for action in plan.record.actions] == [Run, Link]
    assert tree_of(plan).startswith(f"{HOME}/.provision/store/venv-env-")
    assert plan.record.actions[0].writes == (tree_of(plan),)
    assert plan.result.values == {"path": f"{HOME}/env", "python": f"{HOME}/env/bin/python"}


@pytest.mark.real
def test_one_that_is_whole_is_left_alone(tmp_path):
    memory = MemoryHost()
    tree = make(tmp_path, memory)
    memory.nodes[f"{HOME}/env"] = Node(Kind.LINK, target=tree)
    again = planned(memory)
    assert not again.result.changed
    assert again.record.actions == []


def make(tmp_path, memory, **args):
    """Plan in memory, run the script in a real home, and tell the memory of its mark."""
    plan = planned(memory, **args)
    run = plan.record.actions[0]
    argv = [word.replace(HOME, str(tmp_path)) for word in run.argv]
    environment = {"HOME": str(tmp_path), "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    subprocess.run(argv, env=environment, check=True, capture_output=True)
    tree = tree_of(plan)
    real = Path(tree.replace(HOME, str(tmp_path)))
    assert (real / "bin/python").exists()
    assert (real / "pyvenv.cfg").exists()
    memory.put(f"{tree}/.ok", (real / ".ok").read_bytes().replace(str(tmp_path).encode(), HOME.encode()))
    return tree


@pytest.mark.real
def test_only_the_link_is_missing(tmp_path):
    memory = MemoryHost()
    make(tmp_path, memory)
    plan = planned(memory)
    assert [type(action) for action in plan.record.actions] == [Link]


def test_another_python_makes_another_tree_and_switches_the_link():
    first = tree_of(planned(MemoryHost()))
    memory = MemoryHost({f"{HOME}/env": Node(Kind.LINK, target=first)})
    second = planned(memory, python="~/python/bin/python3")
    assert tree_of(second) != first


def test_one_that_the_user_made_is_theirs():
    memory = MemoryHost({f"{HOME}/env/pyvenv.cfg": Node(Kind.FILE)})
    plan = planned(memory)
    assert not plan.result.changed
    assert plan.record.actions == []


@pytest.mark.parametrize("nodes", [{f"{HOME}/env": Node(Kind.FILE)}, {f"{HOME}/env/mine": Node(Kind.FILE)}])
def test_anything_else_in_the_place_is_left_and_told(nodes):
    with pytest.raises(TaskFailedError, match="not ours to replace"):
        planned(MemoryHost(nodes))


@pytest.mark.real
def test_a_python_that_is_not_there_is_told(tmp_path):
    plan = planned(MemoryHost(facts={**FACTS, "home": str(tmp_path)}), python="no-such-python")
    done = subprocess.run(plan.record.actions[0].argv, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "there is no no-such-python on this host" in done.stderr


# --- what makes it ---------------------------------------------------------------------------------------------------


def run_script(tmp_path, memory, search_path="", **args):
    """Plan in memory and run the script in a real home: how it ended, and the tree."""
    plan = planned(memory, **args)
    run = plan.record.actions[0]
    argv = [word.replace(HOME, str(tmp_path)) for word in run.argv]
    environment = {
        "HOME": str(tmp_path),
        "PATH": f"{search_path}:{Path(sys.executable).parent}:{os.environ['PATH']}",
        **dict(run.environment),
    }
    done = subprocess.run(argv, env=environment, capture_output=True, text=True, check=False)
    return done, Path(tree_of(plan).replace(HOME, str(tmp_path)))


@pytest.mark.real
@pytest.mark.parametrize("maker", ["venv", "virtualenv", "uv"])
def test_each_of_the_three_makes_an_environment_with_pip_and_asks_nobody(tmp_path, maker):
    """No index can be reached here; each has its pip at hand."""
    done, tree = run_script(
        tmp_path, MemoryHost(), python=sys.executable, **{"with": maker}, index_url=["http://127.0.0.1:9/simple"]
    )
    assert done.returncode == 0, done.stderr
    assert (tree / ".ok").exists()
    listed = list(tree.glob("lib/python3.*/site-packages/pip-*.dist-info"))
    assert len(listed) == 1
    seen = subprocess.run([tree / "bin/python", "-m", "pip", "--version"], capture_output=True, text=True, check=True)
    assert str(tree) in seen.stdout


def test_another_maker_makes_another_tree():
    trees = {tree_of(planned(MemoryHost(), **{"with": maker})) for maker in ("venv", "virtualenv", "uv")}
    assert len(trees) == 3


@pytest.mark.real
@pytest.mark.parametrize("maker", ["virtualenv", "uv"])
def test_a_maker_that_is_not_there_is_told(tmp_path, maker):
    done, tree = run_script(tmp_path, MemoryHost(), **{"with": maker}, program="~/no/such")
    assert done.returncode == 1
    assert f"{maker} is not there" in done.stderr
    assert not tree.exists()


def test_a_program_below_the_home_is_named_as_used():
    """So that a long program that makes it comes first."""
    plan = planned(
        MemoryHost(), **{"with": "uv"}, program="~/.provision/tools/uv/bin/uv", python="~/python/bin/python3"
    )
    assert plan.record.actions[0].uses == (f"{HOME}/python/bin/python3", f"{HOME}/.provision/tools/uv/bin/uv")


@pytest.mark.real
def test_uv_takes_the_pip_of_a_distribution_from_where_that_keeps_it(tmp_path):
    """As Debian and Fedora do; the folder of upstream is not there."""
    site = tmp_path / "site"
    site.mkdir()
    (site / "sitecustomize.py").write_text(
        "import ensurepip, sysconfig\nensurepip.__path__ = ['/gone']\nasked = sysconfig.get_config_var\n"
        f"sysconfig.get_config_var = lambda name: {_wheels()!r} if name == 'WHEEL_PKG_DIR' else asked(name)\n"
    )
    python = tmp_path / "python3"
    python.write_text(f'#!/bin/sh\nPYTHONPATH={site} exec {sys.executable} "$@"\n')
    python.chmod(0o755)
    done, _ = run_script(
        tmp_path, MemoryHost(), python=str(python), **{"with": "uv"}, index_url=["http://127.0.0.1:9/simple"]
    )
    assert done.returncode == 0, done.stderr


# --- a Python without ensurepip, as Debian's is without python3-venv -------------------------------------------------

GET_PIP = """\
import glob, subprocess, sys
wheel = glob.glob({bundled!r} + "/pip-*.whl")[0]
subprocess.run([sys.executable, wheel + "/pip", "install", "-q", "--no-index", wheel], check=True)
print("got by", sys.argv[0])
"""


@pytest.fixture
def poor_python(tmp_path):
    """A Python in which `import ensurepip` fails; the pip that ensurepip would install is for get-pip.py to find."""
    folder = tmp_path / "poor"
    (folder / "site").mkdir(parents=True)
    (folder / "site/ensurepip.py").write_text("raise ImportError('not packaged')\n")
    python = folder / "python3"
    python.write_text(f'#!/bin/sh\nPYTHONPATH={folder}/site exec {sys.executable} "$@"\n')
    python.chmod(0o755)
    return python, _wheels()


def _wheels() -> str:
    """The folder with this Python's own pip, as a wheel: distributions have one of theirs."""
    import ensurepip
    import sysconfig

    return sysconfig.get_config_var("WHEEL_PKG_DIR") or str(Path(ensurepip.__file__).parent / "_bundled")


@pytest.fixture
def bootstrap(tmp_path, poor_python):
    """A server in the layout of bootstrap.pypa.io."""
    root = tmp_path / "bootstrap"
    (root / "pip/3.9").mkdir(parents=True)
    (root / "get-pip.py").write_text(GET_PIP.format(bundled=poor_python[1]))
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(root)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    thread.join()
    server.server_close()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_args):
        pass


@pytest.mark.real
def test_pip_comes_by_get_pip_where_python_cannot_install_it(tmp_path, poor_python, bootstrap):
    folders = ["http://127.0.0.1:9/gone", bootstrap]
    done, tree = run_script(tmp_path, MemoryHost(), python=str(poor_python[0]), get_pip=folders)
    assert done.returncode == 0, done.stderr
    assert "has no ensurepip" in done.stdout
    assert (tree / "bin/pip").exists()
    assert not (tree / "get-pip.py").exists()


@pytest.mark.real
def test_without_a_place_for_get_pip_it_is_told_what_to_do(tmp_path, poor_python):
    done, tree = run_script(tmp_path, MemoryHost(), python=str(poor_python[0]))
    assert done.returncode == 1
    for word in ("python3-venv", "get_pip", "virtualenv"):
        assert word in done.stderr
    assert not (tree / ".ok").exists()


@pytest.mark.real
@pytest.mark.parametrize(
    ("version", "name"),
    [("3.8", "pip/3.8/get-pip.py"), ("3.9", "pip/3.9/get-pip.py"), ("3.10", "get-pip.py"), ("3.14", "get-pip.py")],
)
def test_each_python_gets_the_get_pip_that_it_understands(tmp_path, version, name):
    """The one at the top refuses Pythons before 3.10; what is asked for is seen in the failure."""
    python = tmp_path / "python"
    python.write_text(
        f"""#!/bin/sh
case $2 in *ensurepip*) exit 1 ;; *version_info*) echo {version} ;; *) mkdir -p "$4" ;; esac
"""
    )
    python.chmod(0o755)
    done, _ = run_script(tmp_path, MemoryHost(), python=str(python), get_pip=["http://127.0.0.1:9/x"])
    assert f"http://127.0.0.1:9/x/{name}: the download failed" in done.stderr
