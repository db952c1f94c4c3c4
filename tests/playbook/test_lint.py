"""Each rule of `provision lint` sees what it is for, and nothing in a task that heeds it."""

from __future__ import annotations

import json

import pytest
from scupi_provision.cli.main import app
from scupi_provision.modules.registry import MODULES
from scupi_provision.playbook.linting.linter import RULES, findings
from scupi_provision.playbook.load import load_playbook
from typer.testing import CliRunner

CASES = {
    "unnamed-task": ("copy: {dest: ~/a, content: b}", "{name: a, copy: {dest: ~/a, content: b}}"),
    "unprovable-command": ("{name: a, command: b}", "{name: a, command: b, args: {creates: c}}"),
    "needless-shell": (
        '{name: a, shell: "make {{ x }}", changed_when: false}',
        '{name: a, shell: "make | tee a", changed_when: false}',
    ),
    "module-instead": (
        "{name: a, command: git clone b, args: {creates: c}}",
        "{name: a, command: gitk b, args: {creates: c}}",
    ),
    "moving-version": (
        '{name: a, get_url: {url: "http://b", dest: ~/c}}',
        '{name: a, get_url: {url: "http://b", dest: ~/c, checksum: "sha256:%s"}}' % ("0" * 64),
    ),
    "plain-secret": ("{name: a, set_fact: {my_password: b}}", '{name: a, set_fact: {my_password: "{{ x }}"}}'),
    "braced-condition": ('{name: a, ping: , when: "{{ x }}"}', "{name: a, ping: , when: x}"),
    "compared-with-literal": ("{name: a, ping: , when: x == true}", "{name: a, ping: , when: x == 1}"),
    "blind-ignoring": (
        "{name: a, ping: , ignore_errors: true}",
        "{name: a, ping: , ignore_errors: true, register: x, changed_when: x.failed}",
    ),
    "private-mode": (
        "{name: a, copy: {dest: ~/.ssh/config, content: b}}",
        '{name: a, copy: {dest: ~/.ssh/config, content: b, mode: "0600"}}',
    ),
    "never-used": ("{name: a, ping: , register: unused}", "{name: a, ping: , register: x, changed_when: x.failed}"),
}


@pytest.fixture
def lint(tmp_path):
    def run(task: str, more: str = "") -> list:
        path = tmp_path / "site.yaml"
        path.write_text(f"- name: A play\n  hosts: all\n  vars: {{x: 1}}\n  tasks:\n    - {task}\n{more}")
        return findings(load_playbook(path, roles_paths=(), registry=MODULES))

    return run


@pytest.mark.parametrize("rule", CASES)
def test_a_rule_sees_what_it_is_for(rule, lint):
    assert rule in [finding.rule for finding in lint(CASES[rule][0])]


@pytest.mark.parametrize("rule", CASES)
def test_a_rule_is_content_with_who_heeds_it(rule, lint):
    assert [finding.rule for finding in lint(CASES[rule][1])] == []


@pytest.mark.parametrize("rule", CASES)
def test_a_comment_waives_a_rule(rule, lint):
    assert rule not in [finding.rule for finding in lint(f"{CASES[rule][0]} # lint: ignore {rule}")]


def test_a_handler_that_nothing_calls_is_told(lint):
    handlers = "  handlers:\n    - name: told\n      ping:\n    - name: forgotten\n      ping:\n"
    found = lint("{name: a, ping: , notify: told}", handlers)
    assert [(each.rule, each.diagnostic.where.line) for each in found] == [("never-notified", 9)]


def test_a_play_and_a_role_variable_have_rules_too(tmp_path):
    for path, text in {
        "site.yaml": "- hosts: all\n  roles: [git_tools]\n",
        "roles/git_tools/defaults/main.yml": "git_version: 1\nversion: 2\n",
        "roles/git_tools/tasks/main.yml": "- name: a\n  ping:\n",
    }.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    found = findings(load_playbook(tmp_path / "site.yaml", roles_paths=(), registry=MODULES))
    assert {each.rule for each in found} == {"unnamed-play", "role-variable"}


def test_every_rule_is_tried():
    assert {*CASES, "never-notified", "unnamed-play", "role-variable"} == RULES.keys()


def test_the_command_tells_every_remark_and_says_by_its_code_whether_there_was_one(tmp_path):
    site = tmp_path / "site.yaml"
    site.write_text("- name: A play\n  hosts: all\n  tasks:\n    - command: a\n")
    (tmp_path / "inventory.yaml").write_text("all: {hosts: {here: {ansible_connection: local}}}\n")
    arguments = ["lint", str(site), "-i", str(tmp_path / "inventory.yaml")]
    shown = CliRunner().invoke(app, arguments)
    assert shown.exit_code == 0
    assert "unprovable-command: no check can tell" in shown.stdout
    assert CliRunner().invoke(app, [*arguments, "--strict"]).exit_code == 1
    lines = CliRunner().invoke(app, [*arguments, "--json", "--skip", "unnamed-task"]).stdout.splitlines()
    assert [json.loads(line)["rule"] for line in lines] == ["unprovable-command"]
    assert CliRunner().invoke(app, [*arguments, "--skip", "unnamed-tsak"]).exit_code == 2


def test_what_check_would_refuse_is_refused_by_lint(tmp_path):
    site = tmp_path / "site.yaml"
    site.write_text("- hosts: all\n  tasks:\n    - coppy: a\n")
    (tmp_path / "inventory.yaml").write_text("all: {hosts: {here: {ansible_connection: local}}}\n")
    assert CliRunner().invoke(app, ["lint", str(site), "-i", str(tmp_path / "inventory.yaml")]).exit_code == 2
