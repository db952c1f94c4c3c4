"""Whole runs with a secret that is looked for afterwards in everything that was printed or written, here and there."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest
from scupi_provision.masking import forms_of
from scupi_provision.vault.format import sealed

SECRET = 'canary\' "Q7" Ünsafe&sure'
MORE = "second-canary-W8"
PASSWORD = b"pw-canary-Z9"
INVENTORY = "all: {hosts: {one: {ansible_connection: local}}}\n"
PLAY = """
- hosts: one
  vars_files: [whole.yml]
  environment: {PASSED: "{{ whole }}"}
  tasks:
    - name: say {{ token }}
      debug: {msg: "{{ token }} {{ token | b64encode }} {{ token[:8] }} {{ whole | hash('sha256') }}"}
    - debug: {var: whole}
    - set_fact: {derived: "{{ token | upper }}"}
    - copy: {content: "{{ token }}\\n{{ derived }}\\n", dest: ~/target}
    - copy: {src: closed.txt, dest: ~/target2}
    - template: {src: t.j2, dest: ~/target3}
    - shell: printf '%s\\n' {{ token | quote }}
      register: said
      changed_when: false
    - debug: {msg: "{{ said.stdout }} {{ said.stdout | length }}"}
    - command: cat
      args: {stdin: "{{ whole }}"}
      changed_when: false
    - shell: echo "$PASSED" {{ token | quote }}; echo {{ whole }} >&2; exit 3
      ignore_errors: true
    - shell: echo {{ whole }}; exit 4
      no_log: true
      ignore_errors: true
    - debug: {msg: "{{ item }}"}
      loop: ["{{ token }}", plain]
    - assert: {that: [token == 'x'], fail_msg: "{{ token }} is not x"}
      ignore_errors: true
    - lineinfile: {path: ~/target, regexp: "^{{ whole }}", line: "{{ whole }}"}
    - fail: {msg: "{{ token }}, {{ token | urlencode }}, {{ {'k': token} | to_json }}"}
      ignore_errors: true
    - debug: {msg: "{{ token.nothing }}"}
      ignore_errors: true
"""


@pytest.fixture
def site(tmp_path: Path) -> Path:
    folder = tmp_path / "site"
    (folder / "group_vars/all").mkdir(parents=True)
    (folder / "files").mkdir()
    (folder / "templates").mkdir()
    (tmp_path / "home").mkdir()
    (tmp_path / "tmp").mkdir()
    (tmp_path / "pw").write_bytes(PASSWORD)
    value = "\n".join("  " + line for line in sealed(SECRET.encode(), PASSWORD).decode().splitlines())
    (folder / "group_vars/all/secrets.yml").write_text(f"token: !vault |\n{value}\n")
    (folder / "whole.yml").write_bytes(sealed(f"whole: {MORE}\n".encode(), PASSWORD))
    (folder / "files/closed.txt").write_bytes(sealed(f"{MORE}\n".encode(), PASSWORD))
    (folder / "templates/t.j2").write_text("a={{ token }}\nb={{ whole | b64encode }}\n")
    (folder / "inventory.yaml").write_text(INVENTORY)
    (folder / "play.yaml").write_text(PLAY)
    return folder


def provision(site: Path, *words: str) -> str:
    """Everything that it prints."""
    top = site.parent
    environment = {
        "HOME": str(top / "home"),
        "PATH": os.environ["PATH"],
        "TMPDIR": str(top / "tmp"),
        "PYTHONPATH": str(Path(__file__).parents[2]),
        "LC_ALL": "C.UTF-8",
    }
    command = [sys.executable, "-m", "scupi_provision", *words, "--vault-password-file", str(top / "pw")]
    done = subprocess.run(
        command, cwd=site, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, text=True
    )
    assert "Traceback" not in done.stdout
    return done.stdout


def forms() -> set[str]:
    secrets = (SECRET, MORE, PASSWORD.decode(), SECRET.upper(), SECRET[:8])
    return {form for secret in secrets for form in forms_of(secret)}


def found_in(text: str) -> list[str]:
    return [form for form in forms() if form in text]


@pytest.mark.parametrize("words", [("check",), ("apply",), ("apply", "-v"), ("apply", "--json")])
def test_nothing_that_is_printed_holds_a_secret(site, words):
    said = provision(site, *words, "play.yaml", "--diff")
    assert found_in(said) == []
    assert "***" in said
    assert "say ***" in said or "-v" not in words


def test_nothing_that_is_written_holds_a_secret_but_what_shall(site):
    """Neither on the controller (saved plans) nor on the host (logs, jobs, what failed programs leave)."""
    provision(site, "check", "play.yaml", "--out", "plan.json")
    provision(site, "apply", "plan.json")
    top = site.parent
    targets = {top / "home" / name for name in ("target", "target2", "target3")}
    assert all(target.exists() for target in targets)
    assert (site / "plan.json").exists()
    left = [path for path in top.rglob("*") if path.is_file() and path != top / "pw" and path not in targets]
    assert [path for path in left if found_in(path.read_text("utf-8", "replace"))] == []
    assert SECRET in (top / "home/target").read_text()
    assert base64.b64encode(MORE.encode()).decode() in (top / "home/target3").read_text()


def test_a_saved_plan_takes_no_secret_variable(site):
    said = provision(site, "check", "play.yaml", "-e", "db_password=plain-canary", "--out", "plan.json")
    assert "plain-canary" not in said
    assert "a plan holds none" in said
    assert not (site / "plan.json").exists()


def test_the_inventory_is_shown_and_exported_without_secrets(site):
    (site / "group_vars/all/open.yml").write_text("password_is: '{{ token }}'\nplain: text\n")
    for words in (
        ("inventory", "show", "one"),
        ("inventory", "show", "one", "--json"),
        ("inventory", "export", "--format", "ansible"),
    ):
        said = provision(site, *words)
        assert found_in(said) == []
        assert "text" in said
    assert "a vault holds them: token" in provision(site, "inventory", "export", "--format", "ansible")


def test_no_process_shows_a_secret_of_a_shell_task(site):
    """`ps` is for everybody on a login node."""
    (site / "play.yaml").write_text(
        "- hosts: one\n  tasks:\n    - shell: 'sleep 1; : {{ token | quote }}'\n"
        "    - shell: sleep 1\n      args: {stdin: '{{ token }}'}\n      environment: {T: '{{ token }}'}\n"
    )
    seen: set[str] = set()
    stop = threading.Event()
    watcher = threading.Thread(target=_watch, args=(seen, stop))
    watcher.start()
    try:
        said = provision(site, "apply", "play.yaml")
    finally:
        stop.set()
        watcher.join()
    assert "2 commands cannot be proved" in said, said
    assert [line for line in seen if found_in(line)] == []
    assert any("sleep" in line for line in seen), "the watcher has seen nothing"


def test_a_secret_among_the_words_of_a_command_is_warned_of(site):
    (site / "play.yaml").write_text("- hosts: one\n  tasks:\n    - command: true {{ token | quote }}\n")
    said = " ".join(provision(site, "apply", "play.yaml").split())
    assert "one of the words of its command, and everybody on the host could see it" in said


def test_an_old_secret_is_not_shown_by_the_diff_that_replaces_it(site):
    (site / "play.yaml").write_text(
        '- hosts: one\n  tasks:\n    - copy: {content: "user=me\\npw={{ token }}\\n", dest: ~/conf}\n'
    )
    (site.parent / "home/conf").write_text("user=you\npw=formerly-secret\n")
    said = provision(site, "check", "play.yaml", "--diff")
    assert "formerly-secret" not in said
    assert "+user=me" in said


def test_an_error_in_a_vault_shows_none_of_its_lines(site):
    (site / "whole.yml").write_bytes(sealed(f"whole: {MORE}\nbroken: [{SECRET}\n".encode(), PASSWORD))
    said = provision(site, "check", "play.yaml")
    assert found_in(said) == []
    assert "whole.yml:2:" in said
    assert "the file is a vault" in said


def test_what_no_log_leaves_to_read(site):
    """That it failed, with what status, how long it took and where; not what it said."""
    (site / "play.yaml").write_text(
        "- hosts: one\n  tasks:\n    - name: quiet\n      shell: echo loud; exit 7\n      no_log: true\n"
    )
    said = provision(site, "apply", "play.yaml")
    assert "a program ended with status 7; the rest is hidden by no_log" in " ".join(said.split())
    assert "play.yaml:3" in said
    assert "loud" not in said


def _watch(seen: set[str], stop: threading.Event) -> None:
    while not stop.is_set():
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            with suppress(OSError):  # it has ended meanwhile
                seen.add(path.read_bytes().replace(b"\0", b" ").decode("utf-8", "replace"))
        time.sleep(0.02)
