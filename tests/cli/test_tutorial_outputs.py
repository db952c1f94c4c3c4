"""Outputs that the tutorial shows and that need no cluster: the program says them line by line."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
sys.path[:0] = [str(TESTS), str(TESTS / "gpu")]  # tutorial_page.py and the stand-in for nvidia-smi

import replayer  # noqa: E402 - found by the path above

from tutorial_page import ENGLISH  # noqa: E402

INVENTORY = "all:\n  hosts:\n    gpu2: {ansible_connection: local}\n"
RECORD = "rtx2080ti-r520-lost"  # a real machine of which one card was lost


def shown(beginning: str) -> list[str]:
    """The lines of the block that begins so, without what stands for lines left out."""
    (block,) = [text for text in ENGLISH.blocks("text") if text.startswith(beginning)]
    return [line.rstrip() for line in block.splitlines() if line != "…"]


@pytest.fixture
def place(tmp_path, monkeypatch) -> Path:
    """A folder with an inventory, and a home below it."""
    monkeypatch.setenv("COLUMNS", "140")
    (tmp_path / "inventory.yaml").write_text(INVENTORY)
    (tmp_path / "home").mkdir()
    return tmp_path


def test_who_is_on_which_gpu(place):
    done = replayer.provision(place, replayer.recorded(RECORD), "gpu")
    said = [line.rstrip() for line in done.stdout.splitlines()]
    assert [line for line in shown("gpu2   NVIDIA") if line not in said] == []


def test_which_torch():
    (command,) = [line for line in ENGLISH.commands if line.startswith("provision torch explain")]
    argv = [sys.executable, "-m", "scupi_provision", *command.split()[1:]]
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    said = [line.rstrip() for line in done.stdout.splitlines()]
    assert said[:4] == shown("torch 2.6")
