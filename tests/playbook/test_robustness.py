"""Whatever the text of a playbook, loading it ends in a playbook or an InputError, never in anything else."""

import string
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scupi_provision.errors import Diagnostic, InputError
from scupi_provision.inventory.load import load_inventory
from scupi_provision.playbook.checks import site_problems
from scupi_provision.playbook.load import read_playbook
from tests.playbook.conftest import REGISTRY

PLAYBOOK = """\
- name: first
  hosts: admin1
  vars: {git_version: 2.47.0, list: [1, 2]}
  roles:
    - role: r
      prefix: ~/git
      when: git_version is defined
  tasks:
    - name: "{{ git_version }}"
      file: {path: ~/x, state: directory, mode: "0755"}
      register: made
      loop: "{{ list }}"
      loop_control: {loop_var: v, label: "{{ v }}"}
    - command: make creates=out prefix={{ git_version }}
      args: {chdir: /tmp}
      when: [made is changed, list | length > 1]
      notify: done
      until: made is succeeded
      retries: 3
    - block:
        - copy: dest=a content="b"
      rescue: [{debug: {msg: no}}]
      always:
        - meta: flush_handlers
    - include_tasks: more.yml
      vars: {x: 1}
    - import_role: {name: r, tasks_from: main}
  handlers:
    - {name: done, listen: topic, command: echo done}
  verify: gpu2
  verify_tasks: [{assert: {that: [1 == 1]}}]
"""
INVENTORY = """\
all:
  vars: {a: 1}
  children:
    cluster:
      hosts:
        admin1: {ansible_host: 121.48.227.161, ansible_port: 7092}
        node[01:03]:
        gpu2: {via: admin1, host_keys: [x]}
accounts:
  - {id: 0123456, key: ~/.ssh/a, groups: [g], hosts: [gpu2], vars: {b: 2}}
"""
_TOKENS = [
    *"{}[]~%#0'\"",
    *("- ", ": ", "{{", "}}", "\n", "  ", "null", "&a ", "*a", "!x ", "|\n", "-1"),
    *("when", "loop", "block", "hosts", "name", "vars", "roles", "import_tasks: more.yml", "include_role"),
]
_EDIT = st.tuples(
    st.integers(0, 2_000),
    st.integers(0, 12),
    st.one_of(st.sampled_from(_TOKENS), st.text(string.printable, max_size=4), st.text(max_size=3)),
)


def edited(text: str, edits: list[tuple[int, int, str]]) -> str:
    for place, length, new in edits:
        start = place % (len(text) + 1)
        text = text[:start] + new + text[start + length :]
    return text


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    made = tmp_path_factory.mktemp("site")
    (made / "more.yml").write_text("- command: a\n  vars: {y: '{{ x }}'}\n")
    (made / "roles/r/tasks").mkdir(parents=True)
    (made / "roles/r/tasks/main.yml").write_text("- debug: {msg: '{{ prefix }}'}\n")
    return made


def problems_of(run) -> list[Diagnostic]:
    """What `run` refuses; anything but an InputError fails the test."""
    try:
        run()
    except InputError as error:
        return list(error.diagnostics)
    return []


def load_and_validate(path: Path) -> None:
    reading = read_playbook(path, roles_paths=(), registry=REGISTRY)
    found = [*reading.problems, *(site_problems(reading.playbook, known=set()) if reading.complete else ())]
    if found:
        raise InputError.of(found)


def load_and_route(path: Path) -> None:
    inventory = load_inventory(path)
    for host in inventory.hosts:
        inventory.route_hosts(host)


_EXAMPLES = settings(max_examples=300, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


@_EXAMPLES
@given(edits=st.lists(_EDIT, min_size=1, max_size=4))
def test_mutated_playbooks_give_a_playbook_or_input_errors_with_places(folder, edits):
    path = folder / "site.yaml"
    path.write_text(edited(PLAYBOOK, edits), encoding="utf-8", errors="replace", newline="")
    found = problems_of(lambda: load_and_validate(path))
    assert all(problem.summary and problem.where for problem in found)


@_EXAMPLES
@given(edits=st.lists(_EDIT, min_size=1, max_size=4))
def test_mutated_inventories_give_an_inventory_or_input_errors(folder, edits):
    path = folder / "inventory.yaml"
    path.write_text(edited(INVENTORY, edits), encoding="utf-8", errors="replace", newline="")
    assert all(problem.summary for problem in problems_of(lambda: load_and_route(path)))


@_EXAMPLES
@given(pattern=st.text("admgpu12*?[]!&~:,() \\^$.", max_size=12))
def test_any_pattern_gives_hosts_or_an_input_error(folder, pattern):
    path = folder / "fixed.yaml"
    path.write_text(INVENTORY)
    assert all(problem.summary for problem in problems_of(lambda: load_inventory(path).select(pattern)))
