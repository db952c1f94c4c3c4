"""Order, conditions, loops and what is registered: as Ansible has them, planned and applied."""

import pytest

DEBUG = "- debug: {msg: %s}"


def test_tasks_of_a_play_come_in_ansibles_order(plays):
    plays.write("roles/r/tasks/main.yml", "- debug: {msg: role}\n")
    told = plays.told("""
        - hosts: all
          post_tasks: [{debug: {msg: post}}]
          tasks: [{debug: {msg: task}}]
          roles: [r]
          pre_tasks: [{debug: {msg: pre}}]
    """)
    assert told == ["pre", "role", "task", "post"]


@pytest.mark.parametrize(
    ("when", "outcome"),
    [
        ("x == 1", "ok"),
        ("x == 2", "skipped"),
        ("[x == 1, not no]", "ok"),
        ("[x == 1, no]", "skipped"),
        ("missing is defined", "skipped"),
        ("ansible_facts.user_id == 'student'", "ok"),
        ("x | bool", "ok"),
        ("x", "failed"),
    ],
)
def test_when(plays, when, outcome):
    assert (
        plays.step(f"""
        - debug: {{msg: hello}}
          vars: {{x: 1, no: false}}
          when: {when}
    """).outcome.value
        == outcome
    )


def test_when_of_a_block_holds_for_every_task_in_it_and_is_judged_first(plays):
    """The inner condition is not even looked at: it would be an error."""
    steps = plays.steps("""
        - block:
            - debug: {msg: a}
              when: undefined_variable
          when: false
    """)
    assert steps == ["debug: skipped"]


def test_loop_with_index_and_label(plays):
    plan = plays.check("""
        - debug: {msg: "{{ number }}{{ thing.name }}"}
          loop: [{name: a, secret: x}, {name: b, secret: y}]
          loop_control: {loop_var: thing, index_var: number, label: "{{ thing.name }}"}
    """)
    assert [(str(step.label), step.message) for step in plan.steps] == [("debug (a)", "0a"), ("debug (b)", "1b")]


def test_when_is_judged_for_each_item(plays):
    steps = plays.steps("""
        - debug: {msg: x}
          loop: [1, 2, 3]
          when: item != 2
    """)
    assert steps == ["debug (1): ok", "debug (2): skipped", "debug (3): ok"]


def test_a_task_whose_loop_is_empty_is_skipped(plays):
    assert plays.steps("- debug: {msg: x}\n  loop: []") == ["debug: skipped"]


@pytest.mark.parametrize(
    ("items", "seen"),
    [("[[1, 2], 3, [[4]]]", ["1", "2", "3", "[4]"]), ("one", ["one"]), ("'{{ [[1], [2]] }}'", ["1", "2"])],
)
def test_with_items_opens_lists_one_level(plays, items, seen):
    assert plays.told(f"- debug: {{msg: '{{{{ item | string }}}}'}}\n  with_items: {items}") == [
        text.replace("[4]", "[4]") for text in seen
    ]


def test_what_a_task_registers(plays):
    plays.memory.put("/home/student/same", b"same\n", 0o644)
    told = plays.told(
        """
        - copy: {dest: ~/same, content: "same\n"}
          register: same
        - copy: {dest: ~/new, content: "new\n"}
          register: new
        - debug: {msg: x}
          when: false
          register: skipped
        - debug: {msg: "{{ same.changed }} {{ new.changed }} {{ skipped.skipped }} {{ new.failed }}"}
        - debug: {msg: "{{ new is changed }} {{ same is succeeded }} {{ skipped is skipped }}"}
        - debug: {msg: "{{ new.dest }} {{ new.mode }}"}
    """.replace('"same\n"', r'"same\n"').replace('"new\n"', r'"new\n"')
    )
    assert told[-3:] == ["False True True False", "True True True", "/home/student/new 0644"]


def test_what_a_loop_registers(plays):
    told = plays.told("""
        - copy: {dest: "~/{{ item }}", content: x}
          loop: [a, b]
          register: made
        - debug: {msg: "{{ made.changed }} {{ made.results | map(attribute='item') | join(',') }}"}
        - debug: {msg: "{{ made.results | map(attribute='dest') | join(',') }}"}
    """)
    assert told == ["True a,b", "/home/student/a,/home/student/b"]


def test_a_task_sees_what_earlier_tasks_will_have_done(plays):
    """Nothing is on the host yet; the plan knows what will be."""
    told = plays.told("""
        - file: {path: ~/d, state: directory}
        - copy: {dest: ~/d/f, content: hello}
        - stat: {path: ~/d/f}
          register: st
        - debug: {msg: "{{ st.stat.exists }} {{ st.stat.size }}"}
        - file: {path: ~/d, state: absent}
        - stat: {path: ~/d/f}
          register: st
        - debug: {msg: "{{ st.stat.exists }}"}
    """)
    assert told == ["True 5", "false"]
    assert "/home/student/d" not in plays.memory.nodes


def test_include_tasks_with_loop_and_when(plays):
    plays.write("more.yml", '- debug: {msg: "{{ item }}{{ given }}"}\n')
    told = plays.told("""
        - include_tasks: more.yml
          loop: [1, 2, 3]
          when: item != 2
          vars: {given: x}
    """)
    assert told == ["1x", "3x"]


def test_an_include_may_depend_on_what_was_read(plays):
    """What `stat` registers is known only after a read; the include waits for it and is no error."""
    plays.memory.put("/home/student/there", b"")
    plays.write("more.yml", "- debug: {msg: included}\n")
    for path, told in (("~/there", ["included"]), ("~/not", [])):
        assert (
            plays.told(f"""
            - stat: {{path: {path}}}
              register: st
            - include_tasks: more.yml
              when: st.stat.exists
        """)
            == told
        )


@pytest.mark.parametrize("keyword", ["when: nowhere", "loop: '{{ nowhere }}'"])
def test_a_wrong_include_fails_where_it_stands(plays, keyword):
    """As a task: what comes before it is done, and it can be rescued."""
    plays.write("more.yml", "- debug: {msg: included}\n")
    applied = plays.apply(f"""
        - copy: {{dest: ~/a, content: x}}
        - block:
            - include_tasks: more.yml
              {keyword}
          rescue:
            - debug: {{msg: rescued}}
    """)
    assert applied.outcomes == ["copy: changed", "more.yml: rescued", "debug: ok"]
    assert "nowhere" in applied.messages[1]


def test_set_fact_lasts_and_may_use_itself(plays):
    told = plays.told("""
        - set_fact: {n: "{{ (n | default(0)) + item }}"}
          loop: [1, 2, 3]
        - debug: {msg: "{{ n }}"}
        - set_fact: {n: other}
        - debug: {msg: "{{ n }}"}
    """)
    assert told == ["6", "other"]


def test_omit_leaves_an_argument_out(plays):
    step = plays.step("- copy: {dest: ~/f, content: x, mode: '{{ nothing | default(omit) }}'}")
    assert step.actions[0].mode == 0o644


def test_meta_end_play(plays):
    applied = plays.apply(
        """
        - copy: {dest: ~/a, content: x}
          notify: h
        - meta: end_play
          when: not later
          vars: {later: false}
        - copy: {dest: ~/b, content: x}
    """.replace("          notify: h\n", "")
    )
    assert applied.outcomes == ["copy: changed"]
    assert applied.proved


def test_meta_end_play_may_depend_on_a_program(plays):
    text = """
        - shell: echo stop
          register: said
        - meta: end_play
          when: said.stdout == "stop"
        - copy: {dest: ~/b, content: x}
    """
    assert plays.apply(text).outcomes == ["shell: changed"]
    assert plays.steps(text) == ["shell: would_change", "meta: known_after_apply", "copy: known_after_apply"]


def test_a_check_registers_what_until_leaves_of_a_task_that_runs_no_program(plays):
    steps = plays.steps("""
        - {debug: {msg: hello}, register: said, until: said.msg == 'other', retries: 2, ignore_errors: true}
        - {debug: {msg: "{{ said.failed }} {{ said.attempts }}"}}
        - {assert: {that: said.failed and said.attempts == 2}}
        """)
    assert [step.rpartition(": ")[2] for step in steps] == ["ignored", "ok", "ok"]
