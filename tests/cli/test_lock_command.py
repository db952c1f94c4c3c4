"""`provision lock`, `bundle` and the options that use them, as a person meets them on a bad day."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

INVENTORY = "all: {hosts: {one: {ansible_connection: local}}}\n"
PLAY = "- {hosts: one, tasks: [{ping: }]}\n"


def provision(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    (folder / "inventory.yaml").write_text(INVENTORY)
    (folder / "play.yaml").write_text(PLAY)
    command = [sys.executable, "-m", "scupi_provision", *arguments]
    environment = {"HOME": str(folder), "PATH": "/usr/bin:/bin", "PYTHONPATH": str(Path(__file__).parents[2])}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_a_lock_is_written_and_used(tmp_path):
    done = provision(tmp_path, "lock", "play.yaml")
    assert done.returncode == 0, done.stderr
    assert "wrote provision.lock, which names 0 files and 0 environments" in done.stdout + done.stderr
    assert provision(tmp_path, "apply", "play.yaml", "--locked").returncode == 0
    assert provision(tmp_path, "bundle", "-o", "site.bundle").returncode == 0
    assert provision(tmp_path, "check", "play.yaml", "--bundle", "site.bundle").returncode == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ("apply", "play.yaml", "--locked"),
        ("check", "play.yaml", "--lock", "other.lock"),
        ("bundle", "-o", "site.bundle"),
        ("apply", "play.yaml", "--bundle", "site.bundle"),
    ],
)
def test_a_file_that_is_not_there_is_bad_input(tmp_path, arguments):
    done = provision(tmp_path, *arguments)
    assert done.returncode == 2
    assert "cannot be read" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_saved_plan_takes_no_other_lock(tmp_path):
    assert provision(tmp_path, "check", "play.yaml", "--out", "plan.json").returncode == 0
    done = provision(tmp_path, "apply", "plan.json", "--locked")
    assert done.returncode == 2
    assert "a saved plan has its own lock" in done.stderr
