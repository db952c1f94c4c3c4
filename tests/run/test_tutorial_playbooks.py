"""The playbooks that the tutorial has its readers write, as they stand there, on a real home."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))  # tutorial_page.py, whatever pytest's import mode

from tutorial_page import ENGLISH


def _of(name: str) -> str:
    """That playbook, for the only host of these tests."""
    return re.sub(r"^- name: (.*)\n  hosts: .*", r"- hosts: all\n  name: \1", ENGLISH.playbook(name))


OWN_KEY = _of("A key of my own")
VS_CODE = _of("Whether VS Code's server can run there")
OLD_KEYS = "# made by the cluster's web page\nssh-rsa AAAAB3NzaC1yc2E= 2021141520001@scupi"


@pytest.fixture
def public_key(account: Path) -> str:
    """That of a key which was made on the student's own computer as the tutorial says."""
    (account / ".ssh").mkdir(mode=0o700)
    command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(account / ".ssh/scupi")]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    return (account / ".ssh/scupi.pub").read_text(encoding="utf-8").strip()


@pytest.mark.parametrize("end", ["", "\n"], ids=["torn last line", "whole last line"])
def test_a_key_of_ones_own_is_let_in_and_the_others_stay(plays, public_key, end) -> None:
    plays.put(".ssh/authorized_keys", OLD_KEYS + end)
    plays.apply(OWN_KEY)
    assert plays.content("~/.ssh/authorized_keys") == f"{OLD_KEYS}\n{public_key}\n"
    again = plays.apply(OWN_KEY)
    assert again.proved
    assert all(outcome.endswith(": ok") for outcome in again.outcomes)


def test_an_account_without_keys_gets_them_as_ssh_wants_them(plays, public_key) -> None:
    plays.apply(OWN_KEY)
    assert plays.content("~/.ssh/authorized_keys") == f"{public_key}\n"
    modes = [path.stat().st_mode & 0o777 for path in (plays.home / ".ssh", plays.home / ".ssh/authorized_keys")]
    assert modes == [0o700, 0o600]


@pytest.mark.parametrize(
    ("glibc", "outcome", "said"),
    [
        ("2.17", "failed", "glibc 2.17 is too old; take VS Code 1.98 with updates off"),
        ("2.27", "failed", "glibc 2.27 is too old"),
        ("2.28", "ok", "glibc 2.28 will do"),
        ("2.39", "ok", "glibc 2.39 will do"),
    ],
)
def test_vs_code_is_told_from_the_c_library(plays, glibc, outcome, said) -> None:
    plays.extra = {"ansible_facts": {"glibc": glibc}}
    (step,) = plays.check(VS_CODE).steps
    assert step.outcome.value == outcome
    assert said in step.message
