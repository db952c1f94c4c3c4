"""How often a host is read, what is sent to it, and what is checked again there."""

import pytest
from plays import numbered
from scupi_provision.host.memory import HOME
from scupi_provision.plan.stream import stream_of
from scupi_provision.shell.actions import Link, Recheck, Run, WriteFile
from scupi_provision.shell.entry import ABSENT

MIXED = """
- copy: {dest: ~/copy-N, content: x}
- lineinfile: {path: ~/line-N, line: x, create: true}
- blockinfile: {path: ~/block-N, block: x, create: true}
- file: {path: ~/dir-N/inner, state: directory}
- stat: {path: ~/stat-N}
  register: st
- debug: {msg: "{{ st.stat.exists }}"}
"""


@pytest.mark.parametrize("converged", [False, True])
def test_the_number_of_reads_does_not_grow_with_the_number_of_tasks(plays, converged):
    reads = []
    for count in (1, 100):
        text = numbered(count, MIXED)
        if converged:
            plays.apply(text)
        before = plays.memory.exchanges
        plays.check(text)
        reads.append(plays.memory.exchanges - before)
    assert reads[0] == reads[1] <= 4


def test_a_converged_apply_reads_as_often_as_a_check(plays):
    """Nothing is performed, and the proof needs no further look."""
    text = numbered(20, MIXED)
    assert plays.apply(text).proved
    before = plays.memory.exchanges
    plays.check(text)
    checked = plays.memory.exchanges - before
    applied = plays.apply(text)
    assert applied.run.verdict().changed == 0
    assert plays.memory.exchanges - before == 2 * checked


def test_what_depends_on_a_read_costs_one_more_read_and_not_one_for_each(plays):
    text = numbered(50, "- stat: {path: ~/a-N}\n  register: a\n- stat: {path: ~/b-N}\n  when: not a.stat.exists\n")
    before = plays.memory.exchanges
    plays.check(text)
    assert plays.memory.exchanges - before <= 4


def test_every_action_carries_what_the_plan_saw(plays):
    plays.memory.put(f"{HOME}/f", b"old", 0o600)
    step = plays.step("- copy: {dest: ~/f, content: new}")
    assert step.actions == (WriteFile(f"{HOME}/f", b"new", 0o600, plays.memory.entry(f"{HOME}/f")),)


def test_steps_before_a_program_are_not_checked_again(plays):
    plan = plays.check(numbered(3, "- copy: {dest: ~/f-N, content: x}"))
    assert [turn.actions for turn in stream_of(plan.steps)] == [step.actions for step in plan.steps]


def test_after_a_program_everything_relied_upon_is_checked_in_time(plays):
    """Also what a step that has nothing to do relied upon; each path once, until the next program."""
    plays.memory.put(f"{HOME}/same", b"x")
    plan = plays.check("""
        - shell: echo one
        - copy: {dest: ~/same, content: x}
        - copy: {dest: ~/same, content: x}
        - copy: {dest: ~/new, content: x}
        - shell: echo two
        - copy: {dest: ~/same, content: x}
        - debug: {msg: relies on nothing}
    """)
    seen = plays.memory.entry(f"{HOME}/same")
    stream = {turn.number: turn.actions for turn in stream_of(plan.steps)}
    assert [type(action).__name__ for action in stream[0]] == ["Run"]
    assert len(stream[1]) == 1
    assert (f"{HOME}/same", seen) in stream[1][0].entries
    assert 2 not in stream
    assert isinstance(stream[3][0], Recheck)
    assert (f"{HOME}/new", ABSENT) in stream[3][0].entries
    assert [type(action) for action in stream[4]] == [Run]
    assert (f"{HOME}/same", seen) in stream[5][0].entries
    assert 6 not in stream


def test_a_check_changes_nothing(plays):
    before = dict(plays.memory.nodes)
    plays.check(numbered(3, MIXED), diffs=True)
    assert plays.memory.nodes == before


UNKNOWN = """
- shell: echo ~/made
  register: said
- copy: {dest: "{{ said.stdout }}", content: x}
  register: copied
- debug: {msg: "{{ copied.dest }}"}
- set_fact: {place: "{{ said.stdout }}"}
- debug: {msg: "{{ [said.stdout] }} and {{ place | default('nowhere') }}"}
- stat: {path: ~/other}
  when: said.rc == 0
  register: st
- debug: {msg: "{{ st.stat.exists }}"}
- debug: {msg: x}
  loop: "{{ said.stdout_lines }}"
- copy: {dest: ~/last, content: x}
"""


def test_a_check_says_what_is_known_only_after_apply_and_goes_on(plays):
    """Everything that depends on it, through registered values and facts; nothing else."""
    plan = plays.check(UNKNOWN)
    known = ["shell", "copy", "debug", "set_fact", "debug", "stat", "debug", "debug", "copy"]
    assert [step.label.module for step in plan.steps] == known
    outcomes = [step.outcome.value for step in plan.steps]
    assert outcomes == ["would_change", *["known_after_apply"] * 7, "would_change"]
    assert plan.steps[1].message == "known after apply: needs what `echo ~/made` says"
    assert not plan.failed


def test_an_apply_waits_for_it(plays):
    """One program runs, then the rest is planned and done; nothing is asked before."""
    applied = plays.apply(UNKNOWN)
    assert applied.messages[2] == f"{HOME}/made".replace(HOME, "~")
    assert applied.messages[4] == "['~/made'] and ~/made"
    assert applied.outcomes[-1] == "copy: changed"
    assert plays.content("~/made") == "x"


GENERATION = """
- path_entry: {path: ~/one/bin, name: one}
- path_entry: {path: ~/two/bin, name: two}
- path_entry: {path: ~/three/bin, name: three, position: last}
"""


def test_the_environment_is_staged_and_switched_once_at_the_end(plays):
    plan = plays.check(GENERATION + "- copy: {dest: ~/after, content: x}\n")
    switches = [index for index, step in enumerate(plan.steps) if any(isinstance(a, Link) for a in step.actions)]
    assert switches == [len(plan.steps) - 1]
    applied = plays.apply(GENERATION)
    assert applied.outcomes[-1] == "make generation 1 current: changed"
    assert applied.proved
    assert plays.memory.nodes[f"{HOME}/.provision/current"].target == "gen/1"
    assert plays.content("~/.provision/gen/1/env.sh").count("/bin${PATH") == 3
    again = plays.apply(GENERATION.replace("- path_entry: {path: ~/two/bin, name: two}\n", ""))
    assert again.outcomes == ["path_entry: ok", "path_entry: ok"]


def test_what_a_program_does_in_the_middle_does_not_lose_the_staged_environment(plays):
    """Staged before the program, switched after it, also when the play is planned anew in between."""
    applied = plays.apply("""
        - path_entry: {path: ~/one/bin, name: one}
        - shell: put ~/f other
          register: said
        - copy: {dest: ~/f, content: "{{ said.rc }}"}
        - path_entry: {path: ~/two/bin, name: two}
    """)
    assert applied.proved
    script = plays.content("~/.provision/gen/1/env.sh")
    assert script.index("two/bin") > script.index("one/bin")


def test_a_failed_play_leaves_the_current_environment(plays):
    plays.apply("- path_entry: {path: ~/one/bin}\n")
    plays.apply("- path_entry: {path: ~/two/bin}\n- fail: {msg: no}\n")
    assert plays.memory.nodes[f"{HOME}/.provision/current"].target == "gen/1"


def test_the_same_host_gives_the_same_plan(plays):
    """So a saved plan can be compared with one made anew."""
    text = numbered(3, MIXED) + UNKNOWN + GENERATION
    one, other = plays.check(text), plays.check(text)
    assert [(s.key, s.label, s.outcome, s.actions, s.reads) for s in one.steps] == [
        (s.key, s.label, s.outcome, s.actions, s.reads) for s in other.steps
    ]
    plays.memory.put(f"{HOME}/copy-0", b"changed meanwhile")
    assert plays.check(text).steps[0].actions != one.steps[0].actions


def test_check_mode_is_told_to_tasks(plays):
    text = "- debug: {msg: '{{ ansible_check_mode }}'}\n"
    assert plays.told(text) == ["true"]
    assert plays.apply(text).messages == ["false"]


def test_diffs_are_read_only_when_they_are_wanted_and_never_for_diff_false(plays):
    plays.memory.put(f"{HOME}/f", b"old\n")
    text = '- copy: {dest: ~/f, content: "new\\n"}\n'
    assert plays.step(text).diffs[0].before is None
    assert plays.step(text, diffs=True).diffs[0].before == "old\n"
    assert plays.step(text + "  diff: false\n", diffs=True).diffs[0].before is None
