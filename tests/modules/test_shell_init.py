"""shell_init: lines for new shells, which the host's shell must be able to parse before anything refers to them."""

import subprocess

import pytest
from pydantic import ValidationError
from scupi_provision.host import generation
from scupi_provision.host.memory import HOME, MemoryHost
from scupi_provision.host.memory_planning import apply_on, plan_on
from scupi_provision.modules.registry import MODULES
from scupi_provision.shell.replies import RunReply

HELLO = "hello() {\n  echo hello\n}\n"


def parse(action, _host):
    """What `sh -n` says of a file, by this machine's shell."""
    assert action.argv[:2] == ("sh", "-n")
    done = subprocess.run(["/bin/sh", "-n"], input=action.stdin, capture_output=True, check=False)
    return RunReply(0, done.returncode, done.stdout, done.stderr, "")


def planner(**args):
    parsed = MODULES["shell_init"].args.model_validate({"name": "greeting", **args})

    def plan(view):
        result = MODULES["shell_init"].plan(parsed, view)
        actions = view.record.actions
        view.commit()
        view.begin("the switch at the play's end")
        view.record.actions.extend(actions)
        generation.switch(view)
        return result

    return plan


def test_new_shells_read_the_lines_and_a_second_run_has_nothing_to_do():
    memory = MemoryHost(run=parse)
    planned, performed = apply_on(memory, planner(script=HELLO))
    assert (performed.outcome, planned.result.changed) == ("done", True)
    content = memory.nodes[f"{HOME}/.provision/gen/1/env.sh"].content.decode()
    assert content.endswith("# greeting\nhello() {\n  echo hello\n}\n")
    done = subprocess.run(["/bin/sh", "-c", f"{content}\nhello"], capture_output=True, text=True, check=True)
    assert done.stdout == "hello\n"
    again = plan_on(memory, planner(script=HELLO))
    assert (again.result.changed, again.record.actions) == (False, [])


def test_they_are_taken_away_again():
    memory = MemoryHost(run=parse)
    apply_on(memory, planner(script=HELLO))
    assert plan_on(memory, planner(state="absent")).result.changed
    apply_on(memory, planner(state="absent"))
    assert b"hello" not in memory.nodes[f"{HOME}/.provision/gen/2/env.sh"].content
    assert not plan_on(memory, planner(state="absent")).result.changed


def test_lines_that_the_shell_cannot_parse_never_reach_a_shell():
    memory = MemoryHost(run=parse)
    _, performed = apply_on(memory, planner(script="if true; then"))
    assert performed.outcome == "failed"
    assert f"{HOME}/.provision/current" not in memory.nodes


@pytest.mark.parametrize(
    "wrong", [{}, {"script": " \n"}, {"name": "two\nlines", "script": "x"}, {"name": "", "script": "x"}]
)
def test_refuses_what_cannot_be_read(wrong):
    with pytest.raises(ValidationError):
        planner(**wrong)
