"""What the Tab key offers, asked as the shells ask it."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

INVENTORY = """\
all:
  hosts: {admin1: , gpu2: }
accounts:
  - {id: "0123456", key: ~/.ssh/one}
  - {id: ada, key: ~/.ssh/two}
"""


@pytest.fixture
def offered(tmp_path):
    """`offered(line)`: what bash is offered for the last word of `line`."""
    (tmp_path / "inventory.yaml").write_text(INVENTORY)
    (tmp_path / "mine.yaml").write_text("[]\n")
    (tmp_path / "playbooks").mkdir()
    (tmp_path / "playbooks/site.yaml").write_text("[]\n")

    def ask(line: str) -> list[str]:
        words = line.split(" ")
        environment = {
            **os.environ,
            "_PROVISION_COMPLETE": "complete_bash",
            "COMP_WORDS": line,
            "COMP_CWORD": str(len(words) - 1),
        }
        program = [sys.executable, "-m", "scupi_provision"]
        done = subprocess.run(program, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert done.stderr == ""
        return done.stdout.split()

    return ask


def test_commands(offered):
    assert "facts" in offered("provision fa")


def test_playbooks_of_this_folder_and_of_the_site(offered):
    assert offered("provision apply ") == ["site.yaml", "mine.yaml"]
    assert offered("provision apply playbooks/s") == ["playbooks/site.yaml"]


def test_hosts_groups_and_accounts_narrow_a_run(offered):
    assert set(offered("provision apply --limit a")) == {"all", "admin1", "ada", "ada@admin1", "ada@gpu2"}


def test_an_inventory_that_cannot_be_read_offers_nothing(offered, tmp_path):
    (tmp_path / "inventory.yaml").write_text("all: [\n")
    assert offered("provision apply --limit a") == []


def test_another_inventory_is_heeded(offered, tmp_path):
    (tmp_path / "other.yaml").write_text("all: {hosts: {elsewhere: }}\n")
    assert offered("provision apply -i other.yaml --limit e") == ["elsewhere"]
