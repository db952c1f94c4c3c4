"""venv: what it plans, and the script itself with this machine's Python."""

import os
import subprocess
import sys
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


def test_a_python_that_is_not_there_is_told(tmp_path):
    plan = planned(MemoryHost(facts={**FACTS, "home": str(tmp_path)}), python="no-such-python")
    done = subprocess.run(plan.record.actions[0].argv, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "there is no no-such-python on this host" in done.stderr
