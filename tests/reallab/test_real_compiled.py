"""A compiled script on real nodes: it looks at the GPU node, and proves its work there, by the login node's own ssh."""

from __future__ import annotations

import shutil
import subprocess

import pytest
from newcomer import Newcomer
from scupi_provision.lab.commands import ssh_command

SITE = """
- name: A small environment
  hosts: admin1
  verify: gpu2
  roles: [shell_env]
  tasks:
    - {name: a folder, file: {path: ~/bin, state: directory}}
    - {name: a program, copy: {dest: ~/bin/hello, content: "#!/bin/sh\\necho hello\\n", mode: "0755"}}
    - {name: on the PATH, path_entry: {path: ~/bin, name: bin}}
    - {name: for which libc, copy: {dest: ~/libc, content: "{{ hostvars.gpu2.ansible_facts.glibc }}"}}
  verify_tasks:
    - {name: it runs, expect: {shell: hello, login_shell: true, stdout: hello}}
    - {name: there, expect: {shell: uname -n, stdout_matches: "^gpu2"}}
"""


@pytest.fixture
def person(tmp_path, lab):
    home, place = tmp_path / "home", tmp_path / "place"
    home.mkdir()
    place.mkdir()
    (place / "site.yaml").write_text(SITE)
    return Newcomer(home, lab.directory, place)


def on_admin1(lab, command, script):
    ssh = shutil.which("ssh") or pytest.fail("openssh-client is missing")
    argv = [ssh, *ssh_command(lab)[1:], command]
    done = subprocess.run(argv, input=script, capture_output=True, text=True, check=False, timeout=120)
    return done.returncode, done.stdout + done.stderr


def test_a_look_and_a_script_reach_the_gpu_node_by_themselves(lab, person) -> None:
    person.run("compile", "site.yaml", "-i", lab.inventory, "--look-script", "--out", "look.sh")
    code, seen = on_admin1(lab, "sh -s", (person.place / "look.sh").read_text())
    assert code == 0, seen
    assert "could not be asked" not in seen
    (person.place / "look.txt").write_text(seen)
    made = person.run("compile", "site.yaml", "-i", lab.inventory, "--look", "look.txt", "--out", "site.sh")
    assert made.code == 0, made.stderr
    script = (person.place / "site.sh").read_text()
    code, output = on_admin1(lab, "cat >site.sh; sh site.sh", script)
    assert code == 0, output
    assert "proved on gpu2" in output
    assert "passed   there" in output
    code, output = on_admin1(lab, "sh site.sh", "")
    assert (code, "done: 0 changed" in output) == (0, True), output
    checked = person.run("check", "site.yaml", "-i", lab.inventory, "--json")
    assert checked.changes() == []
