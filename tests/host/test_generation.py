"""Generations: what shells get, staged by tasks and made current by one rename."""

import json
import subprocess
from dataclasses import replace

import pytest
from scupi_provision.host import generation
from scupi_provision.host.generation import Generation
from scupi_provision.host.memory import HOME, MemoryHost, Node
from scupi_provision.host.memory_planning import apply_on, plan_on
from scupi_provision.shell.actions import Link
from scupi_provision.shell.entry import Kind
from scupi_provision.shell.replies import RunReply


def stage(host, *names):
    """One step per entry, then the switch; whether each was a change."""
    changed = []
    for name in names:
        changed.append(generation.stage(host, generation.staged(host).with_path(name, f"/opt/{name}/bin")))
        actions = host.record.actions
        host.commit()
        host.begin("next")
        host.record.actions.extend(actions)
    generation.switch(host)
    return changed


def test_entries_of_one_apply_make_one_generation():
    memory = MemoryHost()
    planned, performed = apply_on(memory, lambda host: stage(host, "git", "python"))
    assert performed.outcome == "done", performed.why
    assert planned.result == [True, True]
    assert memory.nodes[f"{HOME}/.provision/current"].target == "gen/1"
    again = plan_on(memory, lambda host: (stage(host, "git", "python"), generation.current(host)))
    assert again.result == ([False, False], Generation(1, {"python": "/opt/python/bin", "git": "/opt/git/bin"}))
    assert again.record.actions == []


def test_the_next_apply_leaves_the_last_generation_as_it_is():
    memory = MemoryHost()
    apply_on(memory, lambda host: stage(host, "git"))
    before = memory.nodes[f"{HOME}/.provision/gen/1/env.sh"]
    planned, _ = apply_on(memory, lambda host: stage(host, "python"))
    assert memory.nodes[f"{HOME}/.provision/gen/1/env.sh"] == before
    assert planned.record.actions[-1] == Link(f"{HOME}/.provision/current", "gen/2", planned.record.actions[-1].expect)


def test_without_a_change_there_is_nothing_to_switch_to():
    assert not plan_on(MemoryHost(), generation.switch).result


@pytest.mark.parametrize("path", ["/opt/git/bin", "/opt/my tools/b$in", "/opt/it's/[x]*"])
def test_the_script_puts_directories_first_and_can_be_read_twice(tmp_path, path):
    made = Generation(1, {"a": path, "b": "/opt/b"}, {"LANG": "de DE"})
    script = tmp_path / "env.sh"
    script.write_bytes(made.script())
    text = f'. "{script}"; . "{script}"; printf "%s|%s" "$PATH" "$LANG"'
    done = subprocess.run(["/bin/sh", "-c", text], env={"PATH": "/bin"}, capture_output=True, text=True, check=True)
    assert done.stdout == f"{path}:/opt/b:/bin|de DE"
    assert done.stderr == ""


def test_an_entry_of_the_same_name_is_replaced_where_it_stands():
    made = Generation().with_path("a", "/1").with_path("b", "/2").with_path("a", "/3").with_path("c", "/4", first=False)
    assert list(made.paths.items()) == [("b", "/2"), ("a", "/3"), ("c", "/4")]
    assert list(made.without_path("a").paths) == ["b", "c"]


def parses(_action, _host):
    return RunReply(0, 0, b"", b"", "")


def test_scripts_are_read_after_all_else_and_replaced_where_they_stand():
    made = Generation(1, {"a": "/a"}, {"LANG": "C"}).with_script("one", "x=1\n").with_script("two", "y=$LANG$x")
    done = subprocess.run(
        ["/bin/sh", "-c", f'{made.script().decode()}printf "%s" "$y"'], capture_output=True, check=True
    )
    assert done.stdout == b"C1"
    assert list(made.with_script("one", "x=2").scripts.items()) == [("one", "x=2"), ("two", "y=$LANG$x")]
    assert made.without_script("two").scripts == {"one": "x=1"}


def test_a_generation_with_scripts_is_read_back_and_one_without_is_written_as_before():
    """A provision that knows no scripts would drop them: it refuses format 2, and still reads format 1."""
    wanted = Generation(paths={"git": "/opt/git/bin"}, scripts={"conda": "conda() { :; }"})
    memory = MemoryHost(run=parses)
    apply_on(memory, lambda host: generation.stage(host, wanted))
    memory.nodes[f"{HOME}/.provision/current"] = Node(Kind.LINK, target="gen/1")
    assert json.loads(memory.nodes[f"{HOME}/.provision/gen/1/manifest.json"].content)["format"] == 2
    again = plan_on(memory, generation.current).result
    assert again == replace(wanted, number=1)
    assert json.loads(again.without_script("conda").manifest()) == {
        "format": 1, "number": 1, "paths": {"git": "/opt/git/bin"}, "variables": {},
    }  # fmt: skip
