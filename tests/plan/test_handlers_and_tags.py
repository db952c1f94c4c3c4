"""Handlers and tags, as Ansible documents them."""

import pytest


def test_handlers_run_once_at_the_end_in_the_order_in_which_they_are_defined(plays):
    steps = plays.steps("""
        - hosts: all
          tasks:
            - {copy: {dest: ~/a, content: x}, notify: [second, first]}
            - {copy: {dest: ~/b, content: x}, notify: first}
            - {debug: {msg: x}, notify: never}
          handlers:
            - {name: first, debug: {msg: x}}
            - {name: second, debug: {msg: x}}
            - {name: never, debug: {msg: x}}
    """)
    assert steps == ["copy: would_change", "copy: would_change", "debug: ok", "first: ok", "second: ok"]


def test_handlers_listen_and_notify_one_another(plays):
    steps = plays.steps("""
        - hosts: all
          tasks:
            - {copy: {dest: ~/a, content: x}, notify: "topic {{ n }}"}
          vars: {n: 1}
          handlers:
            - {name: one, copy: {dest: ~/b, content: x}, listen: topic 1, notify: three}
            - {name: two, debug: {msg: x}, listen: [other, topic 1]}
            - {name: "thr{{ 'ee' }}", debug: {msg: x}}
    """)
    assert steps == ["copy: would_change", "one: would_change", "two: ok", "three: ok"]


def test_flush_handlers_runs_them_now_and_again_when_notified_again(plays):
    text = """
        - hosts: all
          tasks:
            - {copy: {dest: ~/a, content: x}, notify: h}
            - meta: flush_handlers
            - {name: between, debug: {msg: x}}
            - {copy: {dest: ~/b, content: x}, notify: h}
          handlers:
            - {name: h, shell: add ~/handled x}
    """
    assert plays.apply(text).outcomes == [
        "copy: changed",
        "h: changed",
        "between: ok",
        "copy: changed",
        "h: changed",
    ]
    assert plays.content("~/handled") == "xx"
    assert plays.apply(text).outcomes == ["copy: ok", "between: ok", "copy: ok"]


def test_handlers_of_pre_tasks_run_before_the_tasks(plays):
    steps = plays.steps("""
        - hosts: all
          pre_tasks: [{copy: {dest: ~/a, content: x}, notify: h}]
          tasks: [{name: task, debug: {msg: x}}]
          handlers: [{name: h, debug: {msg: x}}]
    """)
    assert steps == ["copy: would_change", "h: ok", "task: ok"]


def test_handlers_of_a_role_are_found_with_and_without_its_name(plays):
    plays.write("roles/r/handlers/main.yml", "- {name: h, debug: {msg: '{{ inside }}'}}\n")
    plays.write("roles/r/defaults/main.yml", "inside: role\n")
    plays.write("roles/r/tasks/main.yml", "- {copy: {dest: ~/a, content: x}, notify: h}\n")
    told = plays.told("""
        - hosts: all
          roles: [r]
          tasks:
            - {copy: {dest: ~/b, content: x}, notify: "r : h"}
    """)
    assert told == ["role"]


def test_a_failed_play_runs_no_handlers_and_a_rescued_one_does(plays):
    text = """
        - hosts: all
          tasks:
            - block:
                - {copy: {dest: ~/a, content: x}, notify: h}
                - fail: {msg: no}
              rescue:
                - debug: {msg: RESCUE}
          handlers: [{name: h, debug: {msg: x}}]
    """
    assert plays.apply(text).outcomes[-1] == "h: ok"
    plays.memory.remove("/home/student/a")
    without = text.replace(
        "rescue:\n                - debug: {msg: RESCUE}", "always:\n                - debug: {msg: x}"
    )
    assert plays.apply(without).outcomes == ["copy: changed", "fail: failed", "debug: ok"]


def test_a_check_does_not_hide_a_handler_that_may_run(plays):
    steps = plays.steps("""
        - hosts: all
          tasks:
            - {shell: echo x, register: r, changed_when: false}
            - {copy: {dest: ~/a, content: "{{ r.stdout }}"}, notify: h}
          handlers: [{name: h, debug: {msg: x}}]
    """)
    assert steps == ["shell: ok", "copy: known_after_apply", "h: known_after_apply"]


TAGGED = """
    - hosts: all
      tasks:
        - {name: plain, debug: {msg: x}}
        - {name: a, debug: {msg: x}, tags: a}
        - {name: ab, debug: {msg: x}, tags: [a, b]}
        - {name: always, debug: {msg: x}, tags: always}
        - {name: never, debug: {msg: x}, tags: never}
        - {name: never c, debug: {msg: x}, tags: [never, c]}
        - block: [{name: inner, debug: {msg: x}, tags: c}]
          tags: b
"""


@pytest.mark.parametrize(
    ("only", "skip", "chosen"),
    [
        ("", "", "plain,a,ab,always,inner"),
        ("a", "", "a,ab,always"),
        ("c", "", "always,never c,inner"),
        ("never", "", "always,never,never c"),
        ("tagged", "", "a,ab,always,inner"),
        ("untagged", "", "plain,always"),
        ("all", "", "plain,a,ab,always,inner"),
        ("", "a", "plain,always,inner"),
        ("", "always", "plain,a,ab,inner"),
        ("", "tagged", "plain"),
        ("", "untagged", "a,ab,always,inner"),
        ("", "all", "always"),
        ("b", "a", "always,inner"),
    ],
)
def test_tags(plays, only, skip, chosen):
    """As `task.evaluate_tags` of Ansible decides."""
    assert ",".join(step.partition(":")[0] for step in plays.steps(TAGGED, only=only, skip=skip)) == chosen


def test_handlers_ignore_tags(plays):
    """Ansible: "they ignore all tags and cannot be selected for nor against"."""
    steps = plays.steps(
        """
        - hosts: all
          tasks: [{copy: {dest: ~/a, content: x}, notify: h, tags: a}]
          handlers: [{name: h, debug: {msg: x}, tags: b}]
        """,
        only="a",
    )
    assert steps == ["copy: would_change", "h: ok"]


def test_tags_of_an_include_choose_the_include_and_not_what_is_in_it(plays):
    plays.write("more.yml", "- {name: bare, debug: {msg: x}}\n- {name: tagged, debug: {msg: x}, tags: a}\n")
    text = "- include_tasks: more.yml\n  tags: a\n- import_tasks: more.yml\n  tags: a\n"
    assert plays.steps(text, only="a") == ["tagged: ok", "bare: ok", "tagged: ok"]


@pytest.mark.parametrize("role", ["r", "{{ 'r' }}"])
def test_handlers_of_an_included_role(plays, role):
    """Also of one that is known only when the play runs."""
    plays.write("roles/r/handlers/main.yml", "- {name: h, debug: {msg: handled}}\n")
    plays.write("roles/r/tasks/main.yml", "- {copy: {dest: ~/a, content: x}, notify: h}\n")
    assert plays.told(f'- include_role: {{name: "{role}"}}\n') == ["handled"]


def test_a_handler_that_nobody_has_called_is_not_left_to_change(plays):
    """The closing proof cannot know that the program changes nothing again; that it changed nothing now is known."""
    done = plays.apply("""
        - hosts: all
          tasks:
            - {command: echo, notify: h, register: said, changed_when: said.stdout == 'news'}
          handlers:
            - {name: h, copy: {dest: ~/h, content: x}}
        """)
    assert done.outcomes == ["command: ok"]
    assert done.proved
