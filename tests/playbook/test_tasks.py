"""What the loader makes of tasks: arguments, keywords, blocks, loops."""

import pytest
from scupi_provision.errors import InputError
from scupi_provision.playbook.models import Block, Include, Task
from scupi_provision.values import SourceText, TemplateText


@pytest.mark.parametrize(
    ("task", "module", "arguments"),
    [
        ("- command: make install", "command", {"_raw": "make install"}),
        ("- command: make creates=/tmp/x install", "command", {"_raw": "make install", "creates": "/tmp/x"}),
        ("- command: creates=out chdir='a b' make", "command", {"_raw": "make", "creates": "out", "chdir": "a b"}),
        ("- command: make X=1 args=2", "command", {"_raw": "make X=1 args=2"}),
        ("- shell: echo 'creates=x'", "shell", {"_raw": "echo 'creates=x'"}),
        ("- command: |-\n    echo one \\\n      two", "command", {"_raw": "echo one  two"}),
        ("- command: |-\n    echo one \\\n    two creates=x", "command", {"_raw": "echo one two", "creates": "x"}),
        ("- shell: |-\n    echo 'one \\\n      two'", "shell", {"_raw": "echo 'one \\\n  two'"}),
        ("- shell: echo it's creates=x", "shell", {"_raw": "echo it's creates=x"}),
        ("- shell: echo {{ a b }} chdir={{ c }}", "shell", {"_raw": "echo {{ a b }}", "chdir": "{{ c }}"}),
        ("- shell: |\n    cat  a |\n      b\n", "shell", {"_raw": "cat  a |\n  b\n"}),
        ("- command: {cmd: make, creates: x}", "command", {"cmd": "make", "creates": "x"}),
        ("- command: make\n  args: {chdir: /x}", "command", {"_raw": "make", "chdir": "/x"}),
        ("- file: path=~/x state=directory mode=0700", "file", {"path": "~/x", "state": "directory", "mode": "0700"}),
        ("- copy: dest=a content=\"b c = 'd'\"", "copy", {"dest": "a", "content": "b c = 'd'"}),
        (
            "- copy: dest=a content={{ x | default('y z') }}",
            "copy",
            {"dest": "a", "content": "{{ x | default('y z') }}"},
        ),
        ("- debug: msg=hello", "debug", {"msg": "hello"}),
        ("- debug:", "debug", {}),
        ("- ansible.builtin.debug: {msg: 3.10}", "debug", {"msg": 3.1}),
        ("- ansible.legacy.stat: {path: 0123456}", "stat", {"path": "0123456"}),
        ("- community.general.pip: {name: torch}", "pip", {"name": "torch"}),
        ("- action: file path=x", "file", {"path": "x"}),
        ("- action: {module: file, path: x}", "file", {"path": "x"}),
        ("- action: command echo hi", "command", {"_raw": "echo hi"}),
        ("- set_fact: {a: 1, b: yes}", "set_fact", {"a": 1, "b": True}),
        ("- set_fact: a=1", "set_fact", {"a": "1"}),
        ("- meta: flush_handlers", "meta", {"_raw": "flush_handlers"}),
    ],
)
def test_every_way_to_write_arguments(site, task, module, arguments):
    found = site.task(task)
    assert (found.module, found.arguments) == (module, arguments)


def test_arguments_remember_where_they_stand(site):
    task = site.task("- file:\n    path: ~/x\n    mode: '0644'")
    assert str(task.argument_positions["mode"]).endswith("site.yaml:5:9")
    assert isinstance(task.arguments["mode"], TemplateText)
    assert task.arguments["mode"].position.column == 15


def test_options_in_text_remember_where_they_stand(site):
    task = site.task("- command: make creates=/x")
    assert task.arguments["creates"].position.column == 29


def test_keywords_are_read(site):
    task = site.task(
        """\
- name: "{{ x }}"
  command: a
  when: [a is defined, true, "{{ b }}"]
  register: out
  notify: [one, two]
  changed_when: no
  failed_when: out.rc > 1
  until: out is succeeded
  retries: 5
  delay: "{{ d }}"
  tags: one,two
  environment: {PY: 3.10}
  vars: {v: 3.10}
  ignore_errors: yes
  no_log: "{{ secret }}"
  check_mode: false
  diff: no
"""
    )
    inherited = task.inherited
    assert inherited.when == ("a is defined", True, "{{ b }}")
    assert (task.register, task.notify) == ("out", ("one", "two"))
    assert (task.changed_when, task.failed_when, task.until) == ((False,), ("out.rc > 1",), ("out is succeeded",))
    assert (task.retries, task.delay) == (5, "{{ d }}")
    assert inherited.tags == ("one", "two")
    assert inherited.environment == ({"PY": "3.10"},)
    assert str(inherited.variables[0]["v"]) == "3.10"
    assert (inherited.ignore_errors, inherited.no_log, inherited.check_mode) == (True, "{{ secret }}", False)
    assert inherited.diff is False


def test_loops(site):
    task = site.task(
        "- command: a\n  loop: [1, 02, {k: yes}]\n  loop_control: {loop_var: v, index_var: i, label: '{{ v }}'}"
    )
    assert task.loop.items == [1, 2, {"k": True}]
    assert (task.loop.variable, task.loop.index_variable, task.loop.label) == ("v", "i", "{{ v }}")
    assert not task.loop.flatten


def test_with_items_opens_lists_one_level(site):
    first, second, third = site.tasks(
        "- {command: a, with_items: [1, [2, [3]]]}\n"
        "- {command: a, with_items: '{{ x }}'}\n"
        "- {command: a, with_items: b}"
    )
    assert (first.loop.items, first.loop.flatten) == ([1, 2, [3]], False)
    assert (second.loop.items, second.loop.flatten) == ("{{ x }}", True)
    assert third.loop.items == ["b"]


def test_plain_blocks_are_flattened_and_hand_down_their_keywords(site):
    (task,) = site.tasks(
        """\
- name: outer
  when: a
  tags: [t]
  vars: {x: 1}
  environment: {A: "1", B: "1"}
  no_log: true
  block:
    - block:
        - command: a
          when: c
          tags: u
          environment: {B: "2"}
          no_log: false
      when: b
"""
    )
    assert task.inherited.when == ("a", "b", "c")
    assert task.inherited.tags == ("t", "u")
    assert task.inherited.environment == ({"A": "1", "B": "1"}, {"B": "2"})
    assert task.inherited.no_log is False


def test_a_block_with_rescue_stays(site):
    (block,) = site.tasks("- block: [{command: a}]\n  rescue: [{command: b}]\n  always: [{command: c}]\n  when: x")
    assert isinstance(block, Block)
    assert [task.arguments["_raw"] for task in (*block.body, *block.rescue, *block.always)] == ["a", "b", "c"]
    assert block.rescue[0].inherited.when == ("x",)


def test_play_keywords(site):
    site.write("vars/a.yml", "a: 1\n")
    playbook = site.load(
        """\
- name: first
  hosts: [admin1, "!gpu2"]
  gather_facts: no
  tags: t
  environment: {E: x}
  any_errors_fatal: true
  vars: {v: 1}
  vars_files: [[nosuch.yml, vars/a.yml]]
  pre_tasks: [{command: pre}]
  tasks: [{command: main, notify: h}]
  post_tasks: [{command: post}]
  handlers: [{name: h, command: h, listen: [l, m]}]
  verify: gpu2
  verify_tasks: [{command: proof}]
- hosts: all
"""
    )
    play, second = playbook.plays
    assert (play.name, play.hosts, play.gather_facts, play.any_errors_fatal) == ("first", "admin1,!gpu2", False, True)
    assert play.variables == ({"v": 1}, {"a": 1})
    assert [task.arguments["_raw"] for task in play.tasks] == [
        "pre", "flush_handlers", "main", "flush_handlers", "post",
    ]  # fmt: skip
    assert play.tasks[0].inherited.tags == ("t",)
    assert play.tasks[0].inherited.environment == ({"E": "x"},)
    assert play.handlers[0].listen == ("l", "m")
    assert play.verify == ("gpu2",)
    assert play.verify_tasks[0].arguments == {"_raw": "proof"}
    assert second.name == "all"


def test_playbooks_import_playbooks(site):
    site.write("other/more.yaml", "- hosts: gpu2\n  tasks: [{command: a}]\n")
    playbook = site.load("- import_playbook: other/more.yaml\n  when: x\n  tags: t\n- hosts: all\n")
    assert [play.hosts for play in playbook.plays] == ["gpu2", "all"]
    assert playbook.plays[0].tasks[0].inherited.when == ("x",)


def test_imported_tasks_inherit(site):
    site.write("tasks/more.yml", "- command: b\n  when: inner\n- import_tasks: deeper.yml\n")
    site.write("tasks/deeper.yml", "- command: c\n")
    first, second = site.tasks("- import_tasks: tasks/more.yml\n  when: outer\n  tags: t\n  vars: {v: 1}")
    assert first.inherited.when == ("outer", "inner")
    assert second.inherited.when == ("outer",)
    assert second.inherited.variables == ({"v": 1},)
    assert second.inherited.tags == ("t",)


def test_included_tasks_are_loaded_on_demand(site):
    site.write("one.yml", "- command: one\n")
    (include,) = site.tasks(
        "- name: n\n  include_tasks:\n    file: '{{ which }}.yml'\n    apply: {tags: [inner]}\n"
        "  when: outer\n  tags: outer\n  vars: {v: 1}\n  loop: [1, 2]"
    )
    assert isinstance(include, Include)
    assert include.inherited.when == ("outer",)
    assert include.loop.items == [1, 2]
    (task,) = include.load("one.yml", {})
    assert isinstance(task, Task)
    assert task.inherited.when == ()
    assert task.inherited.tags == ("inner",)
    assert task.inherited.variables == ({"v": 1},)
    assert include.load("one.yml", {}) == (task,)


def test_an_include_that_is_not_there_says_where_it_was_searched(site):
    found = site.problems("- hosts: all\n  tasks:\n    - include_tasks: nosuch.yml\n")
    assert found == ['site.yaml:3:22: there is no file of tasks "nosuch.yml"']
    (include,) = site.tasks("- include_tasks: '{{ x }}'")
    assert site.problems("y.yml", lambda file: include.load(file, {})) == [
        'site.yaml:3:22: there is no file of tasks "y.yml"'
    ]


def test_errors_in_included_files_have_their_own_place(site):
    site.write("more.yml", "- comand: a\n")
    found = site.problems("- hosts: all\n  tasks:\n    - include_tasks: more.yml\n    - import_tasks: more.yml\n")
    assert found == ['more.yml:1:3: unknown module "comand" (did you mean "command"?)']


@pytest.mark.parametrize("statement", ["import_tasks", "include_tasks"])
def test_files_that_include_one_another_without_end_are_refused(site, statement):
    site.write("a.yml", f"- {statement}: b.yml\n")
    site.write("b.yml", f"- {statement}: a.yml\n")
    found = site.problems(f"- hosts: all\n  tasks:\n    - {statement}: a.yml\n")
    assert found == ["b.yml:1:17: a.yml includes itself without end".replace("17", str(5 + len(statement)))]


def test_a_recursion_that_a_condition_ends_is_allowed_to_a_depth(site):
    site.write("a.yml", "- include_tasks: a.yml\n  when: n > 0\n")
    (include,) = site.tasks("- include_tasks: a.yml")
    for _ in range(30):
        (include,) = include.load("a.yml", {})
    with pytest.raises(InputError, match="without end"):
        _descend(include, 30)


def _descend(include, levels):
    for _ in range(levels):
        (include,) = include.load("a.yml", {})


@pytest.mark.parametrize(
    ("task", "expected"),
    [
        ("- {import_tasks: a.yml, loop: [1]}", '3:7: import_tasks cannot have "loop"'),
        ("- {include_tasks: a.yml, environment: {A: b}}", '3:7: include_tasks cannot have "environment"'),
        ("- include_tasks: {fiel: a.yml}", '3:23: unknown argument "fiel" of "include_tasks"'),
        ("- include_tasks:", "3:7: include_tasks must name a file"),
        ("- import_role: {}", "3:7: import_role must name a role"),
    ],
)
def test_bad_includes_are_refused(site, task, expected):
    site.write("a.yml", "- command: a\n")
    found = site.problems(f"- hosts: all\n  tasks:\n    {task}\n")
    assert found[0].startswith(f"site.yaml:{expected}"), found


def test_what_is_marked_unsafe_is_no_template(site):
    task = site.task('- debug: {msg: !unsafe "{{ x }}"}')
    assert type(task.arguments["msg"]) is SourceText
