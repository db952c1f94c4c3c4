"""What fails, what is rescued, what is ignored, and how a task judges itself."""

import pytest


def test_the_rest_of_a_play_is_not_run_after_a_failure(plays):
    applied = plays.apply(
        """
        - copy: {dest: ~/a, content: x}
          notify: h
        - fail: {msg: no}
        - copy: {dest: ~/b, content: x}
    """.replace("          notify: h\n", "")
    )
    assert applied.outcomes == ["copy: changed", "fail: failed"]
    assert applied.run.verdict().failed
    assert not applied.proved


FAILING = {
    "when planned": "fail: {msg: no}",
    "when it has run": "shell: exit 3",
    "on the host": "copy: {dest: ~/none/f, content: x}",
    "when it cannot be rendered": "debug: {msg: '{{ nowhere }}'}",
}


@pytest.mark.parametrize("task", FAILING.values(), ids=FAILING)
def test_block_rescue_always(plays, task):
    text = f"""
        - block:
            - name: bad
              {task}
            - name: never
              debug: {{msg: x}}
          rescue:
            - name: rescue
              debug: {{msg: "{{{{ ansible_failed_task.name }}}} {{{{ ansible_failed_result is failed }}}}"}}
          always:
            - name: always
              debug: {{msg: x}}
        - name: after
          debug: {{msg: x}}
    """
    applied = plays.apply(text)
    assert applied.outcomes == ["bad: rescued", "rescue: ok", "always: ok", "after: ok"]
    assert applied.messages[1] == "bad True"
    assert not applied.run.verdict().failed


def test_rescue_is_skipped_when_nothing_fails(plays):
    steps = plays.steps("""
        - block: [{name: good, debug: {msg: x}}]
          rescue: [{name: rescue, debug: {msg: x}}]
          always: [{name: always, debug: {msg: x}}]
    """)
    assert steps == ["good: ok", "always: ok"]


def test_nested_blocks_each_rescue_their_own(plays):
    applied = plays.apply("""
        - block:
            - block:
                - {name: inner, shell: exit 1}
              rescue:
                - {name: inner rescue, shell: exit 2}
              always:
                - {name: inner always, debug: {msg: x}}
            - {name: never, debug: {msg: x}}
          rescue:
            - {name: outer rescue, debug: {msg: "{{ ansible_failed_task.name }}"}}
    """)
    assert applied.outcomes == [
        "inner: rescued",
        "inner rescue: rescued",
        "inner always: ok",
        "outer rescue: ok",
    ]
    assert applied.messages[-1] == "inner rescue"


def test_a_failing_rescue_fails_the_play_after_always(plays):
    applied = plays.apply("""
        - block: [{name: body, shell: exit 1}]
          rescue: [{name: rescue, fail: {msg: no}}]
          always: [{name: always, debug: {msg: x}}]
        - {name: never, debug: {msg: x}}
    """)
    assert applied.outcomes == ["body: rescued", "rescue: failed", "always: ok"]
    assert applied.run.verdict().failed


@pytest.mark.parametrize("task", FAILING.values(), ids=FAILING)
def test_ignore_errors(plays, task):
    """Known already when planned: a check says the same as an apply."""
    text = f"""
        - name: bad
          {task}
          ignore_errors: true
          register: bad
        - debug: {{msg: "{{{{ bad is failed }}}}"}}
    """
    applied = plays.apply(text)
    assert applied.outcomes == ["bad: ignored", "debug: ok"]
    assert applied.messages[-1] == "true"
    assert not applied.run.verdict().failed
    if not task.startswith("shell"):
        assert plays.steps(text) == ["bad: ignored", "debug: ok"]


def test_a_loop_goes_on_after_a_failed_item_and_fails_at_its_end(plays):
    applied = plays.apply("""
        - block:
            - shell: exit {{ item }}
              loop: [0, 1, 0]
              register: all
            - {name: never, debug: {msg: x}}
          rescue:
            - debug: {msg: "{{ all.results | map(attribute='rc') | list }} {{ all.failed }}"}
    """)
    assert applied.outcomes == ["shell (0): changed", "shell (1): rescued", "shell (0): changed", "debug: ok"]
    assert applied.messages[-1] == "[0, 1, 0] True"


@pytest.mark.parametrize(
    ("keywords", "outcome"),
    [
        ("failed_when: false", "changed"),
        ("failed_when: r.rc == 3", "failed"),
        ("failed_when: r.rc > 3", "changed"),
        ("failed_when: [r.rc == 3, r.stdout == 'other']", "changed"),
        ("failed_when: false\n  changed_when: false", "ok"),
        ("failed_when: false\n  changed_when: r.stdout == 'said'", "changed"),
        ("failed_when: false\n  changed_when: r.stdout == 'other'", "ok"),
        ("failed_when: r.nothing", "failed"),
    ],
)
def test_a_program_is_judged_when_it_has_run(plays, keywords, outcome):
    text = f"- shell: echo said; exit 3\n  register: r\n  {keywords}\n"
    assert plays.apply(text).outcomes == [f"shell: {outcome}"]


def test_a_check_does_not_guess_what_a_program_will_say(plays):
    """`changed_when: false` is known; what depends on the output is shown as the change that it may be."""
    assert plays.steps("- shell: echo x\n  changed_when: false") == ["shell: ok"]
    assert plays.steps("- shell: echo x\n  register: r\n  changed_when: r.rc == 0") == ["shell: would_change"]


@pytest.mark.parametrize(
    ("keywords", "outcome"),
    [("failed_when: st.stat.exists", "failed"), ("failed_when: not st.stat.exists", "ok")],
)
def test_what_is_known_when_planned_is_judged_then(plays, keywords, outcome):
    plays.memory.put("/home/student/f", b"")
    text = f"- stat: {{path: ~/f}}\n  register: st\n  {keywords}\n"
    assert plays.steps(text) == [f"stat: {outcome}"]
    assert plays.apply(text).outcomes == [f"stat: {outcome}"]


def test_a_module_that_cannot_succeed_may_be_judged_to_be_fine(plays):
    assert plays.steps("- file: {path: ~/none}\n  failed_when: false") == ["file: ok"]


def test_a_failure_that_a_program_will_have_cured_is_none(plays):
    """The plan saw no directory; the program makes it; as in Ansible, the copy succeeds."""
    text = """
        - shell: put ~/d/old x
        - copy: {dest: ~/d/new, content: x}
    """
    assert plays.steps(text) == ["shell: would_change", "copy: known_after_apply"]
    assert plays.apply(text).outcomes == ["shell: changed", "copy: changed"]
    assert plays.content("~/d/new") == "x"


def test_until_does_a_program_again(plays):
    applied = plays.apply("""
        - shell: add ~/count x; need ~/count xxx
          register: r
          until: r.rc == 0
          retries: 5
          delay: 0
        - debug: {msg: "{{ r.attempts }}"}
    """)
    assert applied.outcomes == ["shell: changed", "debug: ok"]
    assert applied.messages[-1] == "3"
    assert plays.content("~/count") == "xxx"


def test_until_gives_up(plays):
    applied = plays.apply("""
        - block:
            - shell: add ~/count x; exit 1
              register: r
              until: r.rc == 0
              retries: 2
              delay: 0
          rescue:
            - debug: {msg: "{{ ansible_failed_result.attempts }}"}
    """)
    assert applied.outcomes == ["shell: rescued", "debug: ok"]
    assert applied.messages[-1] == "2"
    assert plays.content("~/count") == "xxx"


def test_retries_alone_mean_until_it_succeeds(plays):
    applied = plays.apply("- shell: add ~/count x; need ~/count xx\n  retries: 3\n  delay: 0\n")
    assert applied.outcomes == ["shell: changed"]
    assert plays.content("~/count") == "xx"


def test_until_looks_at_the_host_again(plays):
    """For a module that only reads, each attempt is another look."""
    looks = 0
    read = plays.memory.read

    def reading(needs, snapshot):
        nonlocal looks
        looks += 1
        if looks == 3:
            plays.memory.put("/home/student/flag", b"")
        read(needs, snapshot)

    plays.memory.read = reading
    applied = plays.apply("""
        - stat: {path: ~/flag}
          register: st
          until: st.stat.exists
          retries: 5
          delay: 0
        - debug: {msg: "{{ st.attempts }}"}
    """)
    assert applied.outcomes == ["stat: ok", "debug: ok"]
    assert applied.messages[-1] == str(looks - 1)  # the first exchange brought the facts


def test_until_in_a_loop_is_for_each_item(plays):
    applied = plays.apply("""
        - shell: add ~/{{ item }} x; need ~/{{ item }} xx
          loop: [a, b]
          retries: 2
          delay: 0
          register: r
        - debug: {msg: "{{ r.results | map(attribute='attempts') | list }}"}
    """)
    assert applied.messages[-1] == "[\n  2,\n  2\n]"


def test_check_mode_of_a_task_says_and_does_not_do(plays):
    """As in Ansible: `check_mode: true` in an apply is a question, not a change; a program is not run."""
    applied = plays.apply("""
        - copy: {dest: ~/a, content: x}
          check_mode: true
          register: would
        - shell: put ~/b x
          check_mode: true
        - debug: {msg: "{{ would.changed }}"}
        - stat: {path: ~/a}
          register: st
        - debug: {msg: "{{ st.stat.exists }}"}
    """)
    assert applied.outcomes == ["copy: changed", "shell: skipped", "debug: ok", "stat: ok", "debug: ok"]
    assert applied.messages[2::2] == ["true", "false"]
    assert applied.proved


SECRETIVE = """
    - copy: {dest: ~/f, content: "{{ item }}"}
      loop: [hunter2]
      no_log: true
    - shell: echo hunter2; exit 1
      no_log: true
      ignore_errors: true
      register: said
    - fail: {msg: hunter2}
      no_log: true
      ignore_errors: true
    - expect: {shell: echo hunter2, stdout: hunter2}
      no_log: true
"""


def test_no_log_hides_everything(plays):
    """Diffs, messages, items, output, claims, positions' lines; in an apply as in a check."""
    plan = plays.check(SECRETIVE, diffs=True)
    shown = [(step.label, "" if step.hidden else step.message, step.diffs) for step in plan.steps]
    assert "hunter2" not in repr(shown)
    assert "hunter2" not in repr(plays.apply(SECRETIVE, diffs=True).events)


def test_what_waits_for_a_hidden_program_does_not_name_it(plays):
    plan = plays.check("""
        - shell: echo hunter2
          no_log: true
          register: said
        - debug: {msg: "{{ said.stdout }}"}
    """)
    assert plan.steps[1].outcome.value == "known_after_apply"
    assert "hunter2" not in plan.steps[1].message


def test_the_last_program_of_a_play_is_rescued_too(plays):
    """Nothing was planned after it, so nothing but its failure tells that the play goes on."""
    applied = plays.apply("""
        - block: [{name: bad, shell: exit 3}]
          rescue: [{name: rescue, copy: {dest: ~/rescued, content: x}}]
          always: [{name: always, copy: {dest: ~/always, content: x}}]
    """)
    assert applied.outcomes == ["bad: rescued", "rescue: changed", "always: changed"]
    assert not applied.run.verdict().failed


def test_the_failure_of_the_last_program_of_a_play_is_one_of_the_play(plays):
    applied = plays.apply("""
        - copy: {dest: ~/f, content: x}
        - shell: exit 3
    """)
    assert applied.outcomes == ["copy: changed", "shell: failed"]
    assert applied.run.verdict().failed
    assert not applied.proved


def test_a_change_that_only_changed_when_speaks_of_does_not_spoil_the_proof(plays):
    applied = plays.apply("- debug: {msg: x}\n  changed_when: true")
    assert applied.outcomes == ["debug: changed"]
    assert applied.proved


def test_a_template_of_become_that_turns_out_true_fails_the_task_with_the_word_of_the_loader(plays):
    applied = plays.apply("""
        - {set_fact: {root: true}}
        - {name: refused, copy: {dest: ~/f, content: x}, become: "{{ root }}", ignore_errors: true}
        - {name: done, copy: {dest: ~/g, content: x}, become: "{{ not root }}"}
    """)
    assert applied.outcomes == ["set_fact: ok", "refused: ignored", "done: changed"]
    errors = [event.error.summary for event in applied.events if getattr(event, "error", None)]
    assert errors == ["become is not possible: nobody has root on the cluster"]
