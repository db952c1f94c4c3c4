"""`provision facts` as a person types it, on this machine."""

from __future__ import annotations

import json
import platform
import subprocess
import sys

import pytest

INVENTORY = """\
all:
  hosts:
    here: {ansible_connection: local}
    gone:
      ansible_host: 127.0.0.1
      ansible_port: 1
      ansible_user: nobody
"""


@pytest.fixture
def provision(tmp_path):
    """`provision(*arguments)`: what `provision facts` did."""
    (tmp_path / "inventory.yaml").write_text(INVENTORY)

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        words = [sys.executable, "-m", "scupi_provision", "facts", *arguments]
        return subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)

    return run


def test_it_shows_what_playbooks_know(provision):
    done = provision("here")
    assert done.returncode == 0
    assert "architecture" in done.stdout
    assert platform.machine() in done.stdout
    assert "libcurl:" in done.stdout, "facts with parts are told part by part"


def test_json_holds_the_facts_by_their_names(provision):
    done = provision("here", "--json", "--filter", "user_?id")
    told = json.loads(done.stdout)
    assert told["host"] == "here"
    assert set(told["ansible_facts"]) == {"user_gid", "user_uid"}
    assert isinstance(told["ansible_facts"]["user_uid"], int)


def test_a_fact_may_be_named_as_playbooks_name_it(provision):
    told = json.loads(provision("here", "--json", "--filter", "ansible_glibc").stdout)
    assert list(told["ansible_facts"]) == ["glibc"]


def test_a_name_that_is_no_fact_is_refused_before_any_host_is_asked(provision):
    done = provision("--filter", "gpuss")
    assert done.returncode == 2
    assert 'did you mean "gpus"' in done.stderr
    assert "connected" not in done.stderr


def test_one_host_that_cannot_be_reached_does_not_hide_the_others(provision):
    done = provision("--json", "--filter", "kernel")
    assert done.returncode == 3
    assert json.loads(done.stdout)["host"] == "here"
    assert "gone" in done.stderr
