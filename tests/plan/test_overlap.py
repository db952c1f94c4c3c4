"""Which long programs run beside the steps that follow, and which steps wait for them."""

from __future__ import annotations

import hashlib

import pytest
from scupi_provision.host.memory import HOME, MemoryHost, Node
from scupi_provision.plan.stream import stream_of
from scupi_provision.shell.actions import Run
from scupi_provision.shell.entry import Kind
from scupi_provision.shell.replies import RunReply

BUILD = """
- source_build:
    name: {name}
    version: "1"
    url: https://example.org/{name}.tar.gz
    sha256: {digest}
    creates: bin/{name}
  register: {name}
"""


def build(name: str) -> str:
    return BUILD.format(name=name, digest=hashlib.sha256(name.encode()).hexdigest())


@pytest.fixture
def plays(plays):
    """With tarballs of the builds, and builds that leave what they shall."""
    plays.memory.urls = {
        f"https://example.org/{name}.tar.gz": name.encode() for name in ("one", "two", "three", "four")
    }
    plays.memory.run = made
    return plays


def made(action: Run, host: MemoryHost) -> RunReply:
    for path in action.creates:
        host.put(path, b"")
    return RunReply(0, 0, b"", b"", "")


def test_builds_that_have_nothing_to_do_with_each_other_overlap(plays):
    plan = plays.check(build("one") + build("two") + "- copy: {dest: ~/f, content: x}")
    assert [(turn.aside, turn.after) for turn in stream_of(plan.steps)] == [(True, ()), (True, ()), (False, ())]


def test_a_build_that_looks_for_its_needs_first_runs_beside_others_all_the_same(plays):
    """The look writes nothing and has ended when the build begins."""
    text = build("one").replace("creates:", "needs: [program:cc]\n    creates:") + "- copy: {dest: ~/f, content: x}"
    assert [turn.aside for turn in stream_of(plays.check(text).steps)] == [True, False]


def test_the_switch_of_the_generation_waits_for_everything(plays):
    """Nobody's PATH may lead to a tree that is not whole."""
    applied = plays.apply(build("one") + "- path_entry: {path: '{{ one.prefix }}/bin'}", switches=True)
    assert applied.outcomes[-1].startswith("make generation 1 current")
    plan = plays.check(build("two") + "- path_entry: {path: '{{ two.prefix }}/bin'}", switches=True)
    stream = stream_of(plan.steps)
    assert [turn.aside for turn in stream] == [True, False, False]
    assert stream[-1].after == (0,)


@pytest.mark.parametrize(
    "task",
    [
        "- command: /bin/true",
        "- file: {path: '{{ one.prefix }}', state: absent}",
        "- file: {path: ~/.provision/store, state: absent}",
        "- copy: {dest: '{{ one.prefix }}/etc', content: x}",
        "- file: {path: '~/.provision/cache/DIGEST-one.tar.gz', state: absent}",
    ],
)
def test_a_step_waits_for_what_it_could_meet(plays, task):
    task = task.replace("DIGEST", hashlib.sha256(b"one").hexdigest()[:16])
    text = build("one") + "- copy: {dest: ~/f, content: x}" + "\n" + task
    stream = stream_of(plays.check(text).steps)
    assert [turn.aside for turn in stream] == [True, False, False]
    assert [turn.after for turn in stream] == [(), (), (0,)]


@pytest.mark.parametrize(
    "keyword",
    ["ignore_errors: true", "failed_when: false", "until: false\n  retries: 1"],
)
def test_a_program_whose_failure_the_play_answers_is_waited_for(plays, keyword):
    text = build("one") + f"  {keyword}\n- copy: {{dest: ~/f, content: x}}"
    assert not any(turn.aside for turn in stream_of(plays.check(text).steps))


def test_a_program_with_a_rescue_is_waited_for(plays):
    inside = build("one").replace("\n", "\n    ").strip()
    text = f"- block:\n    {inside}\n  rescue:\n    - debug: {{msg: x}}\n- copy: {{dest: ~/f, content: x}}"
    assert not any(turn.aside for turn in stream_of(plays.check(text).steps))


def test_a_skipped_step_waits_for_nothing(plays):
    skipped = "- file: {path: ~/other, state: absent}\n  when: false\n"
    stream = stream_of(plays.check(build("one") + skipped + "- copy: {dest: ~/f, content: x}").steps)
    assert [(turn.aside, turn.after) for turn in stream] == [(True, ()), (False, ())]


def test_not_more_than_two_run_aside(plays):
    plan = plays.check("".join(map(build, ("one", "two", "three", "four"))) + "- copy: {dest: ~/f, content: x}")
    assert [turn.aside for turn in stream_of(plan.steps)] == [True, True, False, False, False]


def test_a_program_is_not_set_aside_to_be_waited_for_at_once(plays):
    assert [turn.aside for turn in stream_of(plays.check(build("one") + "- command: /bin/true").steps)] == [
        False,
        False,
    ]


def test_a_link_on_the_host_does_not_hide_that_two_steps_meet(plays):
    """Both paths are one: the second is written as it is reached."""
    plays.memory.put(f"{HOME}/.provision/keep", b"")
    plays.memory.nodes[f"{HOME}/alias"] = Node(Kind.LINK, target=".provision")
    text = build("one") + "- copy: {dest: ~/f, content: x}\n- file: {path: ~/alias/store, state: absent}"
    assert stream_of(plays.check(text).steps)[-1].after == (0,)


def test_what_is_told_late_is_settled_late_and_all_is_told(plays):
    """Every step has its word, in the order in which the steps ended."""
    applied = plays.apply(build("one") + "- copy: {dest: ~/f, content: x}\n- debug: {msg: nothing to do}")
    assert [outcome.partition(":")[0] for outcome in applied.outcomes] == ["copy", "source_build", "debug"]
