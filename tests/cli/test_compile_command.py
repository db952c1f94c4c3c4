"""`provision compile` as it is typed: what it writes, with what mode, and what it says."""

from __future__ import annotations

import pytest
from scupi_provision.cli.main import app
from typer.testing import CliRunner

PLAYBOOK = "[{hosts: admin1, tasks: [{name: a secret, copy: {dest: ~/s, content: hunter2}, no_log: true}]}]"
INVENTORY = "all: {hosts: {admin1: }}\naccounts: [{id: 0123, key: nowhere}, {id: 0456, key: nowhere}]\n"


@pytest.fixture
def typed(tmp_path, monkeypatch):
    """`typed(words…)`: type `provision compile site.yaml words…` in a folder with a site."""
    (tmp_path / "site.yaml").write_text(PLAYBOOK)
    (tmp_path / "inventory.yaml").write_text(INVENTORY)
    monkeypatch.chdir(tmp_path)
    return lambda *words: CliRunner().invoke(app, ["compile", "site.yaml", *words])


def test_a_script_with_secrets_is_for_its_owner_alone(typed, tmp_path) -> None:
    (tmp_path / "x.sh").write_text("older")
    ended = typed("--account", "0123", "-o", "x.sh", "--with-secrets")
    assert (ended.exit_code, ended.output.splitlines()[1]) == (0, "upload it to admin1 and run there: sh x.sh")
    assert (tmp_path / "x.sh").stat().st_mode & 0o777 == 0o600
    assert "hunter2" in (tmp_path / "x.sh").read_text()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("-a", "0123", "-o", "x.sh"), "a secret: it has no_log"),
        (("-o", "x.sh"), "the inventory has 2 accounts"),
        (("-a", "0124", "-o", "x.sh"), 'no account "0124"'),
        (("-a", "0123", "-o", "x.sh", "--look", "nowhere"), "nowhere: No such file or directory"),
        (("-a", "0123", "-o", "x.sh", "--look", "site.yaml"), "this is no look"),
        (("-a", "0123", "-o", "no/x.sh", "--with-secrets"), "cannot be written"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_written(typed, tmp_path, words, said) -> None:
    ended = typed(*words)
    assert ended.exit_code == 2
    assert said in " ".join(ended.output.split())
    assert not (tmp_path / "x.sh").exists()


def test_what_is_to_be_pasted_is_said_to_be_so(typed, tmp_path) -> None:
    ended = typed("-a", "0123", "-o", "x.sh", "--with-secrets", "--paste")
    assert "paste all of it into a shell on admin1" in ended.output
    assert (tmp_path / "x.sh").read_text().startswith("/bin/sh\n")
