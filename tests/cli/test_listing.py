"""`provision check --list-hosts`, `--list-tasks`, `--list-tags` and `--syntax-check`: as Ansible has them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SITE = """\
- name: first
  hosts: web
  tags: [p]
  tasks:
    - name: one
      command: touch made
      tags: [a]
    - block:
        - debug: {msg: "{{ a_name }}"}
      rescue:
        - name: mend
          debug: {msg: hi}
      vars: {a_name: x}
    - include_tasks: more.yml
      tags: b
"""


@pytest.fixture
def site(tmp_path: Path) -> Path:
    (tmp_path / "site.yml").write_text(SITE)
    (tmp_path / "more.yml").write_text("- debug: {msg: x}\n")
    (tmp_path / "hosts").write_text("[web]\nw[1:2].invalid\n")
    return tmp_path


def _check(site: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "scupi_provision", "check", "site.yml", "-i", "hosts", *words]
    return subprocess.run(command, cwd=site, capture_output=True, text=True, check=False)


def test_hosts_tasks_and_tags_are_listed_and_nobody_is_asked(site: Path) -> None:
    done = _check(site, "--list-hosts", "--list-tasks", "--list-tags")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        f"playbook: {site / 'site.yml'}",
        "",
        "play #1 (web): first  tags: [p]",
        "  hosts (2):",
        "    w1.invalid",
        "    w2.invalid",
        "  tasks:",
        "    one  tags: [a, p]",
        "    debug  tags: [p]",
        "    mend  tags: [p]",
        "    include more.yml  tags: [b, p]",
        "  task tags: [a, b, p]",
    ]


def test_limit_and_tags_narrow_what_is_listed(site: Path) -> None:
    listed = _check(site, "--list-hosts", "--list-tasks", "--limit", "w2*", "--tags", "a").stdout
    assert "w1.invalid" not in listed
    assert "w2.invalid" in listed
    assert "    one" in listed
    assert "debug" not in listed


def test_a_playbook_that_is_well_passes_the_syntax_check_and_nothing_is_listed(site: Path) -> None:
    done = _check(site, "--syntax-check")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"playbook: {site / 'site.yml'}\n"


@pytest.mark.parametrize("asked", ["--syntax-check", "--list-tasks"])
def test_a_mistake_is_refused_with_its_place(site: Path, asked: str) -> None:
    (site / "site.yml").write_text(SITE.replace("command:", "comand:"))
    done = _check(site, asked)
    assert (done.returncode, done.stdout) == (2, "")
    assert "site.yml:6:" in done.stderr
    assert "did you mean" in done.stderr
