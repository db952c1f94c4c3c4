"""`rollback` and `init` as a person runs them, on this machine as the host."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

INVENTORY = "all:\n  hosts:\n    here: {ansible_connection: local}\n"
PLAYBOOK = """\
- hosts: here
  tasks:
    - path_entry: {name: tool, path: "~/tools/{{ version }}"}
"""


@pytest.fixture
def site(tmp_path: Path) -> Path:
    (tmp_path / "home").mkdir()
    (tmp_path / "inventory.yaml").write_text(INVENTORY)
    (tmp_path / "site.yaml").write_text(PLAYBOOK)
    return tmp_path


def provision(site: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "HOME": str(site / "home")}
    command = [sys.executable, "-m", "scupi_provision", *arguments]
    return subprocess.run(command, cwd=site, env=environment, capture_output=True, text=True, check=False)


def path_of_new_shells(site: Path) -> str:
    script = '. "$HOME/.provision/current/env.sh"; printf %s "$PATH"'
    environment = {"HOME": str(site / "home"), "PATH": "/usr/bin:/bin"}
    return subprocess.run(["sh", "-c", script], env=environment, capture_output=True, text=True, check=True).stdout


def test_rollback_goes_back_and_apply_goes_forward_without_touching_what_was(site: Path) -> None:
    for version in ("one", "two"):
        assert provision(site, "apply", "site.yaml", "-e", f"version={version}").returncode == 0
    assert path_of_new_shells(site).split(":")[0].endswith("/tools/two")
    back = provision(site, "rollback")
    assert back.returncode == 0, back.stderr
    assert path_of_new_shells(site).split(":")[0].endswith("/tools/one")
    assert provision(site, "apply", "site.yaml", "-e", "version=two").returncode == 0
    assert path_of_new_shells(site).split(":")[0].endswith("/tools/two")
    assert (site / "home/.provision/current").readlink() == Path("gen/3")
    assert provision(site, "rollback", "--to", "2").returncode == 0
    assert (site / "home/.provision/current").readlink() == Path("gen/2")


def test_rollback_to_nothing_is_refused_and_changes_nothing(site: Path) -> None:
    assert provision(site, "apply", "site.yaml", "-e", "version=one").returncode == 0
    none_before = provision(site, "rollback")
    assert none_before.returncode == 1
    assert "no earlier generation" in none_before.stderr
    unknown = provision(site, "rollback", "--to", "9")
    assert unknown.returncode == 1
    assert "there are: 1" in unknown.stderr
    assert (site / "home/.provision/current").readlink() == Path("gen/1")


def test_a_path_entry_is_offered_to_new_shells_once(site: Path) -> None:
    assert provision(site, "apply", "site.yaml", "-e", "version=one").returncode == 0
    again = provision(site, "apply", "site.yaml", "-e", "version=one")
    assert "nothing left to change" in again.stdout
    script = '. ~/.provision/current/env.sh; . ~/.provision/current/env.sh; printf %s "$PATH"'
    environment = {"HOME": str(site / "home"), "PATH": "/usr/bin:/bin"}
    twice = subprocess.run(["sh", "-c", script], env=environment, capture_output=True, text=True, check=True).stdout
    assert twice == f"{site}/home/tools/one:/usr/bin:/bin"


def test_init_makes_a_site_that_loads_and_never_overwrites(site: Path) -> None:
    new = site / "new"
    assert provision(site, "init", str(new)).returncode == 0
    checked = subprocess.run(
        [sys.executable, "-m", "scupi_provision", "check", "site.yaml"],
        cwd=new,
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 2
    assert "has no accounts" in checked.stderr
    (new / "inventory.yaml").write_text("mine")
    again = provision(site, "init", str(new))
    assert again.returncode == 2
    assert (new / "inventory.yaml").read_text() == "mine"
