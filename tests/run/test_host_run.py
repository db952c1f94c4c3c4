"""A play on a real home, through the shell runtime: stale plans, failures in the middle, rescue, retries, handlers."""

import os
import threading
from pathlib import Path

import pytest
from plays import numbered
from scupi_provision.errors import LockedError
from scupi_provision.events import Notice, TaskProgress


def test_a_program_that_changes_what_a_later_task_relied_on(plays):
    """The plan for that task is made anew; the file is as if each task had been done in its turn."""
    plays.put("f", "one\n")
    applied = plays.apply(r"""
        - shell: echo two >>~/f
        - lineinfile: {path: ~/f, line: three}
        - lineinfile: {path: ~/f, line: two}
        - copy: {dest: ~/after, content: x}
    """)
    assert plays.content("f") == "one\ntwo\nthree\n"
    assert applied.outcomes == [
        "shell: changed",
        "lineinfile: changed",
        "lineinfile: ok",
        "copy: changed",
    ]
    assert sum(isinstance(event, Notice) for event in applied.events) == 1
    assert applied.proved


def test_many_programs_that_each_make_the_plan_stale_are_no_reason_to_give_up(plays):
    text = numbered(12, "- shell: echo N >>~/f\n- lineinfile: {path: ~/f, line: after N, create: true}")
    plays.apply(text)
    assert plays.content("f").split("\n")[:4] == ["0", "after 0", "1", "after 1"]


def test_a_program_may_make_what_a_later_task_needs(plays):
    """Also where the task could not succeed on the host as it was, and where it was found to be needless."""
    plays.put("gone", "x")
    applied = plays.apply("""
        - shell: mkdir -p ~/made/here; rm ~/gone
        - copy: {dest: ~/made/here/f, content: x}
        - copy: {dest: ~/gone, content: x}
    """)
    assert applied.outcomes == ["shell: changed", "copy: changed", "copy: changed"]
    assert plays.content("gone") == "x"


def test_a_glob_is_looked_at_again_after_a_program(plays):
    """`creates` with a pattern that a program has made true in the meantime."""
    applied = plays.apply("""
        - shell: touch ~/made-1.txt
        - command: {cmd: touch ~/needless, creates: ~/made-*.txt}
    """)
    assert applied.outcomes == ["shell: changed", "command: ok"]
    assert not (plays.home / "needless").exists()


def test_somebody_else_changes_a_file_between_planning_and_doing(plays):
    """The guard on the host notices; what they wrote is in the new plan."""
    run = plays.run("- lineinfile: {path: ~/f, line: ours, create: true}\n")
    perform = plays.session.perform

    def late(*args, **kwargs):
        if not (plays.home / "f").exists():
            plays.put("f", "theirs\n")
        return perform(*args, **kwargs)

    plays.session.perform = late
    list(run.apply())
    assert plays.content("f") == "theirs\nours\n"


def test_a_failure_in_the_middle(plays):
    """What came before is done, nothing after it is, and the environment is not switched."""
    applied = plays.apply("""
        - path_entry: {path: ~/bin, name: mine}
        - copy: {dest: ~/before, content: x}
        - shell: echo reason >&2; exit 3
        - copy: {dest: ~/after, content: x}
    """)
    assert applied.outcomes == ["path_entry: changed", "copy: changed", "shell: failed"]
    assert applied.finished[-1].output == "reason"
    assert set(plays.tree) == {"before"}
    assert not os.path.lexists(plays.home / ".provision/current")
    assert (plays.home / ".provision/gen/1/env.sh").is_file()
    assert not applied.proved


def test_the_next_apply_finishes_what_failed(plays):
    text = """
        - path_entry: {path: ~/bin, name: mine}
        - shell: test -e ~/allowed
          changed_when: false
        - copy: {dest: ~/after, content: x}
    """
    assert plays.apply(text).run.verdict().failed
    plays.put("allowed", "")
    applied = plays.apply(text)
    assert applied.proved
    assert (plays.home / ".provision/current/env.sh").is_file()
    assert plays.apply(text).run.verdict().changed == 0


def test_rescue_on_a_real_host(plays):
    applied = plays.apply("""
        - block:
            - copy: {dest: ~/f, content: new}
            - shell: exit 1
            - copy: {dest: ~/never, content: x}
          rescue:
            - copy: {dest: ~/f, content: rescued}
          always:
            - copy: {dest: ~/always, content: x}
    """)
    assert applied.outcomes == ["copy: changed", "shell: rescued", "copy: changed", "copy: changed"]
    assert {name: content for name, (_, content) in plays.tree.items()} == {"f": b"rescued", "always": b"x"}


def test_until_waits_for_what_happens_elsewhere(plays):
    threading.Timer(0.3, lambda: plays.put("flag", "")).start()
    applied = plays.apply("""
        - shell: test -e ~/flag
          register: r
          until: r.rc == 0
          retries: 20
          delay: 1
          changed_when: false
        - debug: {msg: "{{ r.attempts > 1 }}"}
    """)
    assert applied.outcomes == ["shell: ok", "debug: ok"]
    assert applied.messages[-1] == "true"
    assert any(isinstance(event, TaskProgress) and "attempt 1 of 21" in event.phase for event in applied.events)


def test_handlers_run_after_what_notified_them(plays):
    applied = plays.apply("""
        - hosts: all
          tasks:
            - {copy: {dest: ~/f, content: x}, notify: tell}
            - {shell: cp ~/f ~/g}
          handlers:
            - {name: tell, shell: "cat ~/g >~/told"}
    """)
    assert applied.outcomes == ["copy: changed", "shell: changed", "tell: changed"]
    assert plays.content("told") == "x"


def test_a_second_run_is_refused_while_one_is_at_work(plays):
    """Not waited for, not killed: the error says who it is."""
    (plays.home / ".provision").mkdir()
    node, boot = os.uname().nodename, Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    (plays.home / ".provision/lock").write_text(f"{node} {boot} {os.getpid()} somebody else\n")
    with pytest.raises(LockedError) as caught:
        plays.apply("- copy: {dest: ~/f, content: x}\n")
    assert "somebody else" in caught.value.diagnostic.detail
    assert plays.tree == {}


def test_a_saved_secret_is_not_in_what_is_shown_while_a_program_runs(plays):
    """`no_log`: neither its last line nor what it printed when it failed."""
    applied = plays.apply("""
        - shell: echo hunter2; sleep 1.5; exit 1
          no_log: true
          ignore_errors: true
    """)
    assert applied.outcomes == ["shell: ignored"]
    assert "hunter2" not in repr(applied.events)
