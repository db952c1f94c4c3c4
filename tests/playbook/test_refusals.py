"""What is wrong with a playbook is said with its place and a suggestion, all of it together."""

import pytest
from scupi_provision.errors import InputError
from scupi_provision.playbook.checks import site_problems
from scupi_provision.playbook.load import read_playbook
from tests.playbook.conftest import REGISTRY

SIX = """\
- hosts: admin1
  tasks:
    - name: unknown module
      coppy: {src: a, dest: b}
    - nmae: misspelled keyword
      command: "true"
    - name: misspelled argument
      file:
        pth: ~/x
        state: directory
    - name: mode
      file:
        path: ~/x
        mode: 644
  tsaks: []
"""


def test_everything_wrong_in_a_playbook_is_reported_together(site):
    assert site.problems(SIX) == [
        'site.yaml:4:7: unknown module "coppy" (did you mean "copy"?)',
        'site.yaml:5:7: unknown keyword "nmae" (did you mean "name"?)',
        'site.yaml:9:9: unknown argument "pth" of module "file" (did you mean "path"?)',
        'site.yaml:14:15: mode: 644 would be read as a decimal number; write mode: "0644"',
        'site.yaml:15:3: unknown keyword "tsaks" (did you mean "tasks"?)',
    ]


def test_a_duplicate_key_is_refused_at_the_second_one(site):
    found = site.problems("- hosts: all\n  tasks:\n    - file:\n        path: a\n        path: b\n")
    assert len(found) == 1
    assert found[0].startswith("site.yaml:5:9: ")


@pytest.mark.parametrize(
    ("task", "expected"),
    [
        ("- {}", "3:7: this task is empty"),
        ("- name: x", "3:7: this task names no module"),
        ("- foo", "3:7: a task must be a mapping, not text"),
        ("- {command: a, shell: b}", '3:20: a task calls one module, and this one calls "command" and "shell"'),
        ("- {command: a, become: true}", "3:28: become is not possible: nobody has root"),
        ("- {command: a, become_user: x}", '3:33: "become_user": nobody has root'),
        ("- {command: a, connection: local}", "3:32: a host is entered in one way during a play"),
        ("- {command: a, debugger: on_failed}", '3:30: debugger "on_failed": a plan is made as a whole'),
        ("- {command: a, serial: 1}", '3:20: unknown keyword "serial"'),
        ("- {command: a, with_dct: b}", '3:20: no lookup answers to "with_dct" (did you mean "with_dict"?)'),
        ("- {command: a, with_dict: }", "3:20: with_dict needs a value"),
        ("- {command: a, with_items: [b], with_dict: c}", "3:37: with_items and with_dict cannot be used together"),
        ("- {command: a, listen: b}", '3:20: keyword "listen" belongs to handlers'),
        ("- {apt: name=git}", '3:8: module "apt" needs root'),
        ("- {command: a, tаgs: b}", '3:20: unknown keyword "tаgs" (did you mean "tags"?)'),
        ("- {file: state=directory}", '3:8: module "file" needs "path"'),
        ("- {file: {path: a, dest: b}}", '3:24: "dest" and "path" are the same argument'),
        ("- {file: {path: a, when: b}}", '3:24: unknown argument "when" of module "file" ("when" is a keyword'),
        ("- {file: path}", '3:14: module "file" takes no free text: "path" is not key=value'),
        ("- {file: [a]}", '3:14: "file" cannot have a list of arguments'),
        ("- {file: {path: a, state: dir}}", "3:31: state: must be 'file', 'directory'"),
        ("- {file: {path: a, recurse: maybe}}", "3:33: recurse: maybe is not a boolean"),
        ("- {file: {path: [a]}}", "3:22: path: must be text"),
        ("- {copy: {dest: a}}", "3:8: give either src or content"),
        ("- {command: a, when: }", "3:26: a condition is expected here, not nothing"),
        ("- {command: a, retries: many}", "3:29: a whole number is expected here"),
        ("- {command: a, register: a-b}", '3:30: "a-b" cannot be the name of a variable'),
        ("- {command: a, loop: 3}", "3:26: loop needs a list"),
        ("- {command: a, loop: [1], loop_control: {var: x}}", '3:46: unknown keyword "var" of loop_control'),
        ("- {command: a, ignore_errors: 3}", "3:35: true or false is expected here"),
        ("- {rescue: []}", '3:8: "rescue" needs a "block" beside it'),
        ("- {block: []}", "3:7: this block is empty"),
        ("- {block: [{command: a}], loop: [1]}", '3:31: unknown keyword "loop" of a block'),
        ("- {meta: flush_handler}", '3:14: unknown meta action "flush_handler" (did you mean "flush_handlers"?)'),
        ("- {action: '{{ m }} a=1'}", "3:16: a template cannot choose the module of action"),
        ("- {import_playbook: x.yml}", "3:8: import_playbook stands at the top"),
        ("- {include: x.yml}", '3:8: Ansible has removed "include"'),
        ("- {hosts: all, tasks: []}", "3:7: this is a play, not a task"),
    ],
)
def test_bad_tasks_are_refused_at_their_place(site, task, expected):
    found = site.problems(f"- hosts: all\n  tasks:\n    {task}\n")
    assert any(problem.startswith(f"site.yaml:{expected}") for problem in found), found
    assert len(found) == 1, found


def test_look_alike_letters_are_named(site):
    with pytest.raises(InputError) as caught:
        site.load("- hosts: all\n  tasks:\n    - {command: a, tаgs: b}\n")
    assert "U+0430 CYRILLIC SMALL LETTER A" in caught.value.diagnostic.detail


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "1:1: the playbook is empty"),
        ("hosts: all\n", "1:1: a playbook is a list of plays, not a mapping"),
        ("- tasks: []\n", '1:3: a play needs "hosts"'),
        ("- command: a\n", "1:3: this is a task, not a play"),
        ("- hosts: all\n  connection: winrm\n", '2:15: connection "winrm" is not possible here'),
        ("- hosts: all\n  fact_path: x\n", "2:14: fact_path: facts.d is not read"),
        ("- hosts: all\n  become: yes\n", "2:11: become is not possible"),
        ("- hosts: all\n  tasks: {}\n", "2:10: a list of tasks is expected here"),
        ("- hosts: all\n  vars: [a]\n", "2:9: a mapping is expected here, not a list"),
        ("- hosts: all\n  vars: {a-b: 1}\n", '2:10: "a-b" cannot be the name of a variable'),
        ("- hosts: all\n  vars_files: [x.yml]\n", "2:16: there is no file of variables"),
        ("- hosts: all\n  verify_tasks: [{command: a}]\n", "2:3: verify_tasks without verify"),
        ("- import_playbook: x.yml\n", "1:20: there is no playbook"),
        ("- import_playbook: site.yaml\n", "1:20: site.yaml imports itself without end"),
        ("- hosts: all\n  roles: [nosuch]\n", '2:11: there is no role "nosuch"'),
        ("- hosts: all\n  roles: [{vars: {}}]\n", "2:11: a role must be a name"),
    ],
)
def test_bad_plays_are_refused_at_their_place(site, text, expected):
    found = site.problems(text)
    assert found[0].startswith(f"site.yaml:{expected}"), found
    assert len(found) == 1, found


def test_become_false_is_nothing(site):
    site.load("- hosts: all\n  become: false\n  tasks:\n    - {command: a, become: no}\n")


def test_undefined_variables_are_found_beside_other_errors(site):
    text = SIX.replace("  tsaks: []", "    - {cmmand: a, register: out}\n    - debug: {msg: '{{ out }} {{ nope }}'}")
    reading = read_playbook(site.write("site.yaml", text), roles_paths=(), registry=REGISTRY)
    assert reading.complete
    assert len(reading.problems) == 5
    assert [problem.summary for problem in site_problems(reading.playbook, known=set())] == [
        'undefined variable "nope"'
    ]


def test_what_could_not_be_read_leaves_a_gap(site):
    for text in ("- hosts: all\n  roles: [x]\n", "- hosts: [\n", "- hosts: all\n  tasks: [{import_tasks: x.yml}]\n"):
        assert not read_playbook(site.write("site.yaml", text), roles_paths=(), registry=REGISTRY).complete
