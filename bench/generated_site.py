"""Playbooks of any number of tasks: file, template, lineinfile and blockinfile in turn, each on a path of its own."""

from __future__ import annotations

from pathlib import Path

_DIRECTORY = """\
- name: Directory {number}
  file: {{path: {place}/directory{number}, state: directory, mode: "0750"}}
"""
_TEMPLATE = """\
- name: Template {number}
  template: {{src: settings.j2, dest: {place}/settings{number}, mode: "0640"}}
"""
_LINE = """\
- name: Line {number}
  lineinfile: {{path: {place}/lines{number}, line: number = {number}, regexp: ^number, create: true}}
"""
_BLOCK = """\
- name: Block {number}
  blockinfile: {{path: {place}/block{number}, block: "export NUMBER={number}", create: true}}
"""
_KINDS = (_DIRECTORY, _TEMPLATE, _LINE, _BLOCK)


def write_site(directory: Path, tasks: int) -> Path:
    """Write a playbook of `tasks` tasks for admin1 below `directory`, with the template that it uses."""
    place = f"~/generated-{tasks}"
    lines = [f'- name: The place\n  file: {{path: {place}, state: directory, mode: "0700"}}\n']
    lines += [_KINDS[number % 4].format(number=number, place=place) for number in range(1, tasks)]
    body = "".join(lines).replace("\n", "\n    ").rstrip()
    playbook = directory / f"generated-{tasks}.yaml"
    playbook.write_text(f"- name: {tasks} tasks\n  hosts: admin1\n  tasks:\n    {body}\n", encoding="utf-8")
    templates = directory / "templates"
    templates.mkdir(exist_ok=True)
    templates.joinpath("settings.j2").write_text("host = {{ ansible_facts.nodename }}\n", encoding="utf-8")
    return playbook
