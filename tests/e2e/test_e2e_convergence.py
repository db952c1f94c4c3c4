"""check tells what apply does; apply ends as described; a second apply changes nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from newcomer import tree

pytestmark = pytest.mark.lab

VARIED = """
- hosts: admin1
  vars:
    names: [one, two]
  handlers:
    - name: Note the change
      copy: {content: "noted\\n", dest: ~/noted}
  tasks:
    - name: A place
      file: {path: ~/place/deep, state: directory, mode: "0750"}
    - name: Settings
      template: {src: settings.j2, dest: ~/place/settings, mode: "0640"}
      notify: Note the change
    - name: Copies
      copy: {content: "{{ item }}\\n", dest: "~/place/{{ item }}"}
      loop: "{{ names }}"
    - name: A line of mine
      lineinfile: {path: ~/.bashrc, line: "umask 027"}
    - name: A block of mine
      blockinfile: {path: ~/.bash_profile, block: "export EDITOR=vi"}
    - name: A link
      file: {path: ~/link, src: place/one, state: link}
    - name: What is to go
      file: {path: ~/.bash_logout, state: absent}
    - name: What is not there stays so
      file: {path: ~/nothing, state: absent}
    - name: Look
      stat: {path: ~/.bashrc}
      register: bashrc
    - name: Only when there is one
      copy: {content: "there: {{ bashrc.stat.exists }}\\n", dest: ~/seen}
      when: bashrc.stat.exists
    - name: Not at all
      copy: {content: "", dest: ~/never}
      when: not bashrc.stat.exists
    - name: A program that leaves a file
      command: touch made
      args: {creates: made}
    - name: What fails is rescued
      block:
        - name: Impossible
          fail: {msg: on purpose}
      rescue:
        - name: Instead
          copy: {content: "rescued\\n", dest: ~/rescued}
    - name: A directory for programs
      path_entry: {name: mine, path: ~/place/deep}
    - name: A claim
      assert: {that: bashrc.stat.exists}
"""

CHANGES = [
    "A place", "Settings", "Copies one", "Copies two", "A line of mine", "A block of mine", "A link", "What is to go",
    "Only when there is one", "A program that leaves a file", "Instead", "A directory for programs", "Note the change",
    "make generation 1 current",
]  # fmt: skip


@pytest.fixture
def varied(site, person):
    templates = person.place / "templates"
    templates.mkdir()
    templates.joinpath("settings.j2").write_text("host = {{ inventory_hostname }}\n")
    return site(VARIED)


def _names(result):
    return [f"{name} {item}".strip() for _, _, name, item in result.changes()]


def test_check_writes_nothing_and_says_what_apply_then_does(person, varied, account):
    before = tree(account)
    checked = person.run("check", varied, "--diff", "--json")
    assert checked.code == 0, checked.stderr
    assert tree(account) == before
    applied = person.run("apply", varied, "--json")
    assert applied.code == 0, applied.stderr
    assert _names(checked) == CHANGES
    assert applied.changes() == checked.changes()


def test_apply_makes_it_so(person, varied, account):
    assert person.run("apply", varied).code == 0
    place = account / "place"
    assert place.joinpath("settings").read_text() == "host = 2021141520001@admin1\n"
    assert place.joinpath("settings").stat().st_mode & 0o777 == 0o640
    assert place.joinpath("deep").stat().st_mode & 0o777 == 0o750
    assert [place.joinpath(name).read_text() for name in ("one", "two")] == ["one\n", "two\n"]
    assert account.joinpath("link").readlink() == Path("place/one")
    assert account.joinpath("seen").read_text() == "there: True\n"
    assert account.joinpath("noted").read_text() == "noted\n"
    assert account.joinpath("rescued").exists()
    assert account.joinpath("made").exists()
    assert "umask 027\n" in account.joinpath(".bashrc").read_text()
    assert not account.joinpath(".bash_logout").exists()
    assert not account.joinpath("never").exists()


def test_a_second_apply_changes_nothing_and_is_proved(person, varied, account):
    person.run("apply", varied)
    before = tree(account)
    again = person.run("apply", varied, "--json")
    assert again.code == 0
    assert again.changes() == []
    assert [(proof["host"], proof["remaining"]) for proof in again.of("Proved")] == [("admin1", [])]
    assert tree(account) == before
    assert person.run("check", varied, "--exit-code").code == 0


def test_what_depends_on_a_program_is_not_guessed(person, site, account):
    playbook = site("""
    - name: Ask
      command: echo hello
      register: said
    - name: Keep
      copy: {content: "{{ said.stdout }}", dest: ~/said}
    """)
    checked = person.run("check", playbook, "--json")
    outcomes = [event["outcome"] for event in checked.of("TaskFinished")]
    assert outcomes == ["would_change", "known_after_apply"]
    applied = person.run("apply", playbook, "--json")
    assert applied.changes() == checked.changes()
    assert account.joinpath("said").read_text() == "hello"


def test_the_json_stream_tells_what_the_console_tells(person, varied):
    console = person.run("check", varied, "-v")
    stream = person.run("check", varied, "--json")
    assert (console.code, stream.code) == (0, 0)
    events = stream.events
    assert events[0]["event"] == "RunStarted"
    assert events[-1] | {"time": "", "seconds": 0.0} == {
        "event": "RunFinished", "time": "", "verb": "check", "exit_code": 0, "seconds": 0.0,
    }  # fmt: skip
    words = {"would_change": "would change", "ok": "ok", "skipped": "skipped", "rescued": "rescued"}
    told = [line.strip() for line in console.stdout.splitlines()]
    for event in stream.of("TaskFinished"):
        wanted = (words[event["outcome"]], event["task"]["name"], event["task"]["item"])
        assert any(line.startswith(wanted[0]) and all(word in line for word in wanted) for line in told), wanted


def test_a_saved_plan_does_exactly_that(person, varied, tmp_path):
    plan = tmp_path / "plan.json"
    checked = person.run("check", varied, "--out", plan, "--json")
    applied = person.run("apply", plan, "--json")
    assert (checked.code, applied.code) == (0, 0), applied.stderr
    assert applied.changes() == checked.changes()


@pytest.mark.parametrize("edit", ["host", "playbook"])
def test_a_saved_plan_that_no_longer_fits_touches_nothing(person, varied, account, tmp_path, edit):
    plan = tmp_path / "plan.json"
    person.run("check", varied, "--out", plan)
    if edit == "host":
        with account.joinpath(".bashrc").open("a") as bashrc:
            bashrc.write("# an edit by hand\n")
    else:
        varied.write_text(varied.read_text().replace("umask 027", "umask 077"))
    before = tree(account)
    refused = person.run("apply", plan)
    assert refused.code == 1
    assert "no longer fits" in refused.stderr
    assert "A line of mine" in refused.stderr
    assert tree(account) == before


def test_no_secret_is_in_a_saved_plan_or_in_the_stream(person, site, tmp_path):
    playbook = site("""
    - name: A token
      copy: {content: "hunter2-very-secret", dest: ~/token, mode: "0600"}
      no_log: true
    """)
    plan = tmp_path / "plan.json"
    checked = person.run("check", playbook, "--diff", "--json", "--out", plan)
    applied = person.run("apply", playbook, "--diff", "--json", "-vv")
    for text in (checked.stdout, checked.stderr, plan.read_text(), applied.stdout, applied.stderr):
        assert "hunter2" not in text
    assert json.loads(plan.read_text())["plans"]


def test_the_lines_of_the_person_survive_byte_for_byte(person, site, account):
    theirs = b"# caf\xe9 in latin-1\r\nalias x='echo \"$1\"'\t\n\n\nexport A=1 # no line break at the end"
    account.joinpath(".bashrc").write_bytes(theirs)
    account.joinpath(".bash_profile").write_bytes(b"")
    playbook = site("- {hosts: admin1, roles: [shell_env]}")
    for _ in range(2):
        assert person.run("apply", playbook).code == 0
        now = account.joinpath(".bashrc").read_bytes()
        assert now.endswith(theirs)
        assert now.count(b"provision: environment") == 2
        assert b"latin" not in now.removesuffix(theirs)
