"""The verbs, on hosts with a local connection: whose failure ends what, which proofs stand, which plans fit."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from real_plays import tree
from scupi_provision.errors import StalePlanError
from scupi_provision.events import CheckFinished, HostConnected, RunFinished, TaskFinished, Verified
from scupi_provision.host.facts import Facts
from scupi_provision.plan.tags import TagSelection
from scupi_provision.run.apply import apply
from scupi_provision.run.check import check
from scupi_provision.run.request import RunRequest
from scupi_provision.run.saved_plan import apply_saved, save_plan
from scupi_provision.run.site import load_site

INVENTORY = """
all:
  vars: {ansible_connection: local, ansible_user: me}
  hosts: {one: {}, two: {}, gpu: {}}
"""


def events(account: Path, playbook: str, verb=apply, **request):
    (account.parent / "inventory.yaml").write_text(INVENTORY)
    path = account.parent / "play.yaml"
    path.write_text(playbook)
    return list(verb(load_site(RunRequest(path, account.parent / "inventory.yaml", **request))))


def ended(found):
    return [f"{e.host} {e.task}: {e.outcome.value}" for e in found if isinstance(e, TaskFinished)]


def code(found):
    (last,) = [event for event in found if isinstance(event, RunFinished)]
    return last.exit_code


FAILS_ON_ONE = """
- hosts: [one, two]
  tasks:
    - {name: first, fail: {msg: no}, when: inventory_hostname == "one"}
- hosts: [one, two]
  tasks:
    - {name: second, debug: {msg: x}}
"""


def test_a_host_that_fails_takes_no_further_part_and_the_others_go_on(account):
    found = events(account, FAILS_ON_ONE)
    assert sorted(ended(found)) == ["one first: failed", "two first: skipped", "two second: ok"]
    assert code(found) == 1


def test_a_host_that_proves_itself_is_connected_once(account):
    found = events(account, "- {hosts: one, verify: one, tasks: [{ping: }], verify_tasks: [{ping: }]}")
    assert len([event for event in found if isinstance(event, HostConnected)]) == 1
    assert code(found) == 0


def test_any_errors_fatal_ends_the_run_for_all(account):
    found = events(account, FAILS_ON_ONE.replace("one, two]\n", "one, two]\n  any_errors_fatal: true\n", 1))
    assert "one first: failed" in ended(found)
    assert "two second: ok" not in ended(found)
    assert code(found) == 1


PROVED = """
- hosts: one
  verify: gpu
  tasks:
    - {name: make, copy: {dest: ~/f, content: "CONTENT"}}
  verify_tasks:
    - {name: there, expect: {shell: "echo x >>~/looks; cat ~/f", stdout: "CONTENT"}}
"""


def looks(account: Path) -> int:
    file = account / "looks"
    return file.read_text().count("x") if file.exists() else 0


def test_a_proof_stands_until_something_changes(account):
    first = events(account, PROVED)
    assert [event.passed for event in first if isinstance(event, CheckFinished)] == [True]
    again = events(account, PROVED)
    assert [event.checks for event in again if isinstance(event, Verified)] == [1]
    assert looks(account) == 1
    events(account, PROVED, verify_again=True)
    assert looks(account) == 2
    events(account, PROVED.replace("CONTENT", "other"))
    assert looks(account) == 3
    events(account, PROVED.replace("CONTENT", "other"))
    assert looks(account) == 3


def test_a_change_takes_the_proof_away_before_it_happens(account):
    """Also one that fails afterwards: what was proved is no more."""
    events(account, PROVED)
    broken = PROVED.replace("CONTENT", "other").replace("  verify_tasks", "    - fail: {msg: no}\n  verify_tasks")
    assert code(events(account, broken)) == 1
    assert list((account / ".provision").glob("verified/*")) == []


def test_other_facts_need_another_look(account, monkeypatch):
    """The node's driver was changed: what was seen there before proves nothing now."""
    events(account, PROVED)
    real = Facts.__init__

    def with_driver(self, raw):
        real(self, {**raw, "gpu_0": "0, GPU-12ab, another, 570.1"})

    monkeypatch.setattr(Facts, "__init__", with_driver)
    events(account, PROVED)
    assert looks(account) == 2


def test_a_failed_check_leaves_no_proof(account):
    text = PROVED.replace('stdout: "CONTENT"', "stdout: wrong")
    assert code(events(account, text)) == 4
    assert list((account / ".provision").glob("verified/*")) == []
    assert code(events(account, text)) == 4
    assert looks(account) == 2


SAVED = """
- hosts: one
  tasks:
    - {name: a, copy: {dest: ~/a, content: x}, tags: a}
    - {name: b, copy: {dest: ~/b, content: "{{ text | default('x') }}"}}
"""


def saved(account: Path, **request) -> Path:
    (account.parent / "inventory.yaml").write_text(INVENTORY)
    (account.parent / "play.yaml").write_text(SAVED)
    site = load_site(RunRequest(account.parent / "play.yaml", account.parent / "inventory.yaml", **request))
    plans: dict = {}
    list(check(site, plans))
    save_plan(account.parent / "plan.json", site, plans)
    return account.parent / "plan.json"


def test_a_saved_plan_does_exactly_that(account):
    plan = saved(account, tags=TagSelection(frozenset({"a"})))
    assert tree(account) == {}
    assert code(list(apply_saved(plan, verify_again=False))) == 0
    assert set(tree(account)) == {"a"}


@pytest.mark.parametrize("change", ["host", "playbook"])
def test_a_saved_plan_that_no_longer_fits_does_nothing(account, change):
    plan = saved(account)
    if change == "host":
        (account / "b").write_text("meanwhile")
    else:
        (account.parent / "play.yaml").write_text(SAVED.replace("content: x", "content: y"))
    before = tree(account)
    with pytest.raises(StalePlanError) as caught:
        list(apply_saved(plan, verify_again=False))
    assert '"' + ("b" if change == "host" else "a") + '"' in caught.value.diagnostic.detail
    assert tree(account) == before


def test_a_saved_plan_holds_what_is_done_but_not_its_content(account):
    plan = saved(account)
    document = json.loads(plan.read_text())
    assert [step["task"] for step in document["plans"][0]["steps"]] == ["a", "b"]
    assert "content" not in json.dumps(document["plans"])
