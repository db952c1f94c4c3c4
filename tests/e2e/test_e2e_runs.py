"""How runs end: exit codes, a second run on the same account, login files that print."""

from __future__ import annotations

import pytest
from newcomer import comes_true, daemon, ended, family, lines_until

pytestmark = pytest.mark.lab


def test_0_when_all_is_as_described(person, site):
    assert person.run("apply", site('- copy: {content: "x", dest: ~/x}')).code == 0


def test_1_when_a_task_failed_and_what_came_before_it_stays(person, site, account):
    playbook = site("""
    - copy: {content: "x", dest: ~/before}
    - name: Give up
      shell: echo out; echo oh dear >&2; exit 7
    - copy: {content: "x", dest: ~/after}
    """)
    failed = person.run("apply", playbook)
    assert failed.code == 1
    told = failed.stdout + failed.stderr
    assert "Give up" in told
    assert "oh dear" in told
    assert f"{playbook}:4:7" in told
    assert account.joinpath("before").exists()
    assert not account.joinpath("after").exists()


def test_3_when_the_host_cannot_be_reached(person, site, lab):
    inventory = person.place / "inventory.yaml"
    inventory.write_text(inventory.read_text().replace(f"ansible_port: {lab.admin_port}", "ansible_port: 9"))
    refused = person.run("apply", site("- ping:"))
    assert refused.code == 3
    assert "port 9" in refused.stdout + refused.stderr


CLAIM = """
- hosts: admin1
  verify: gpu2
  tasks:
    - copy: {content: "made\\n", dest: ~/made, mode: "0644"}
  verify_tasks:
    - name: It is there
      expect: {path: ~/made, mode: "%s"}
    - name: The next is asked all the same
      expect: {shell: hostname, stdout: gpu2}
"""


def test_4_when_a_check_on_the_other_node_failed(person, site):
    failed = person.run("apply", site(CLAIM % "0600"), "--json")
    assert failed.code == 4
    found = [(check["host"], check["passed"], check["seen"]) for check in failed.of("CheckFinished")]
    assert found == [("gpu2", True, "a file"), ("gpu2", False, "0644"), ("gpu2", True, "gpu2")]


def test_a_proof_stands_until_something_changes(person, site):
    playbook = site(CLAIM % "0644")
    assert [event["passed"] for event in person.run("apply", playbook, "--json").of("CheckFinished")] == [True] * 3
    again = person.run("apply", playbook, "--json")
    assert again.code == 0
    assert again.of("CheckFinished") == []
    assert [(proof["host"], proof["checks"]) for proof in again.of("Verified")] == [("gpu2", 3)]
    assert len(person.run("verify", playbook, "--json").of("CheckFinished")) == 3


def test_5_when_check_is_asked_for_drift(person, site):
    playbook = site('- copy: {content: "x", dest: ~/x}')
    assert person.run("check", playbook).code == 0
    assert person.run("check", playbook, "--exit-code").code == 5


def test_of_two_runs_at_once_one_works_and_the_other_says_who_does(person, site, account):
    playbook = site("""
    - name: Take long
      shell: sleep 4; touch done
      args: {creates: done}
    - copy: {content: "x", dest: ~/x}
    """)
    first = person.start("apply", playbook, "--json")
    lines_until(first, lambda event: event["event"] == "TaskProgress")
    second = person.run("apply", site('- copy: {content: "y", dest: ~/y}', "other.yaml"))
    assert second.code == 3
    told = second.stdout + second.stderr
    assert "another run is at work on this account" in told
    assert "provision apply, run " in told
    assert not account.joinpath("y").exists()
    assert ended(first).code == 0
    assert account.joinpath("x").exists()
    assert person.run("apply", person.place / "other.yaml").code == 0


def test_nothing_is_left_running_when_a_run_has_ended(person, site, lab):
    person.run("apply", site(CLAIM % "0644"))
    assert comes_true(lambda: not family(daemon(lab)), 2), family(daemon(lab))


def test_login_files_that_print_are_set_aside_with_a_notice(person, site, account):
    noise = b"echo 'Welcome to \x1b[31mthe cluster\x1b[0m'; printf 'and \\033]0;title\\007 more' >&2\n"
    bashrc = account / ".bashrc"
    bashrc.write_bytes(noise + bashrc.read_bytes())
    playbook = site('- copy: {content: "x", dest: ~/x}')
    applied = person.run("apply", playbook)
    assert applied.code == 0
    assert account.joinpath("x").read_text() == "x"
    assert "Welcome to" in applied.stdout + applied.stderr
    assert "\x1b" not in applied.stdout + applied.stderr
    notices = person.run("check", playbook, "--json").of("Notice")
    assert [notice["level"] for notice in notices] == ["warning"]
    assert "the cluster" in notices[0]["text"]
