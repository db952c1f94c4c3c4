"""Tasks of a play on one host that are done on another one."""

from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from plays import Applied, MemoryLine, Plays, programs
from scupi_provision.errors import Diagnostic, InputError, Position
from scupi_provision.host.memory import HOME, MemoryHost
from scupi_provision.host.snapshot import Needs, Snapshot
from scupi_provision.plan.delegation import HERE, Delegates
from scupi_provision.plan.planner import make_plan
from scupi_provision.run.bringing import Bringing
from scupi_provision.run.delegates import Doer
from scupi_provision.run.downloads import DownloadCache


@dataclass
class Elsewhere(Delegates):
    """One other host in memory, called gpu2; admin1 is the play's own, and nothing else is reached."""

    memory: MemoryHost = field(default_factory=lambda: MemoryHost(run=programs))
    known: dict[str, Snapshot] = field(default_factory=dict)
    reads: int = 0
    instead = 0

    def named(self, asked: str, where: Position | None) -> str:
        return HERE if asked == "admin1" else asked

    def refusal(self, name: str) -> Diagnostic | None:
        return Diagnostic(f"{name} does not answer") if name == "lost" else None

    def snapshot(self, name: str) -> Snapshot:
        return self.known.setdefault(name, Snapshot())

    def read(self, name: str, needs: Needs) -> None:
        self.reads += 1
        self.memory.read(needs, self.known[name])

    def forget(self) -> None:
        self.known = {name: Snapshot(snapshot.facts) for name, snapshot in self.known.items()}

    def doer(self, name: str) -> Doer:
        line: Any = MemoryLine(self.memory)
        return Doer(line, Bringing(name, line, DownloadCache(None), HOME))  # type: ignore[arg-type]


@pytest.fixture
def gpu2() -> Elsewhere:
    return Elsewhere()


def applied(plays: Plays, gpu2: Elsewhere, text: str) -> Applied:
    run = plays.run(text, delegates=gpu2)
    run.delegates = gpu2  # type: ignore[assignment]
    return Applied(run, list(run.apply()))


def test_the_file_is_made_there_and_not_here(plays, gpu2):
    done = applied(plays, gpu2, "- copy: {dest: ~/f, content: x}\n  delegate_to: gpu2")
    assert done.outcomes == ["copy: changed"]
    assert gpu2.memory.nodes[f"{HOME}/f"].content == b"x"
    assert f"{HOME}/f" not in plays.memory.nodes
    assert done.proved


def test_a_second_apply_finds_it_done(plays, gpu2):
    text = "- copy: {dest: ~/f, content: x}\n  delegate_to: gpu2"
    applied(plays, gpu2, text)
    assert applied(plays, gpu2, text).outcomes == ["copy: ok"]


def test_variables_and_results_stay_those_of_the_plays_host(plays, gpu2):
    done = applied(
        plays,
        gpu2,
        """
        - shell: echo {{ inventory_hostname }}
          delegate_to: gpu2
          register: said
        - copy: {dest: ~/f, content: "{{ said.stdout }}"}
        """,
    )
    assert done.outcomes == ["shell: changed", "copy: changed"]
    assert plays.content("~/f") == "admin1"


def test_each_item_of_a_loop_has_its_own_host(plays, gpu2):
    applied(plays, gpu2, '- copy: {dest: ~/f, content: x}\n  delegate_to: "{{ item }}"\n  loop: [gpu2, admin1]')
    assert f"{HOME}/f" in gpu2.memory.nodes
    assert plays.content("~/f") == "x"


def test_order_is_kept_between_hosts(plays, gpu2):
    """Their homes may be one and the same: what one does is done before the other is looked at."""
    gpu2.memory = plays.memory
    done = applied(
        plays,
        gpu2,
        """
        - shell: put ~/f one
        - shell: add ~/f two
          delegate_to: gpu2
        - copy: {dest: ~/f, content: onetwo}
        """,
    )
    assert done.outcomes == ["shell: changed", "shell: changed", "copy: ok"]


def test_a_check_reads_there_and_does_nothing(plays, gpu2):
    gpu2.memory.put(f"{HOME}/there", b"x")
    steps = plays.steps(
        """
        - stat: {path: ~/there}
          delegate_to: gpu2
          register: found
        - debug: {msg: "{{ found.stat.exists }}"}
        - copy: {dest: ~/f, content: x}
          delegate_to: gpu2
        """,
        delegates=gpu2,
    )
    assert steps == ["stat: ok", "debug: ok", "copy: would_change"]
    assert f"{HOME}/f" not in gpu2.memory.nodes


def test_a_task_that_is_skipped_reaches_nobody(plays, gpu2):
    applied(plays, gpu2, "- copy: {dest: ~/f, content: x}\n  delegate_to: gpu2\n  when: false")
    assert gpu2.reads == 0


def test_many_delegated_tasks_in_a_row_are_one_program(plays, gpu2):
    text = "\n".join(f"- copy: {{dest: ~/f{number}, content: x}}\n  delegate_to: gpu2" for number in range(20))
    done = applied(plays, gpu2, text)
    assert done.outcomes == ["copy: changed"] * 20
    assert gpu2.reads <= 4


def test_who_cannot_be_reached_fails_the_task_only(plays, gpu2):
    done = applied(
        plays,
        gpu2,
        """
        - copy: {dest: ~/before, content: x}
        - block:
            - {command: echo x, delegate_to: lost}
          rescue:
            - debug: {msg: "{{ ansible_failed_result.msg }}"}
        """,
    )
    assert done.outcomes == ["copy: changed", "command: rescued", "debug: ok"]
    assert done.messages[-1] == "lost does not answer"


def test_a_name_that_is_no_text_is_refused(plays, gpu2):
    done = applied(plays, gpu2, '- command: echo x\n  delegate_to: "{{ [] }}"')
    assert done.outcomes == ["command: failed"]


def test_omit_delegates_to_nobody(plays, gpu2):
    plays.extra = {}
    done = applied(plays, gpu2, '- copy: {dest: ~/f, content: x}\n  delegate_to: "{{ nobody | default(omit) }}"')
    assert done.outcomes == ["copy: changed"]
    assert plays.content("~/f") == "x"


def test_where_nobody_else_is_reached_delegation_is_refused(plays):
    planning = plays.planning("- command: echo x\n  delegate_to: gpu2")
    plan = make_plan(replace(planning, check_mode=True), {}, plays.snapshot(), plays.memory.read)
    assert plan.failed
    with pytest.raises(InputError, match="cannot be delegated"):
        Delegates().named("gpu2", None)
