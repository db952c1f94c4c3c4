"""Plays on a real home: a temporary one on this machine, through the local transport and the shell runtime."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

_HERE = Path(__file__).parent
_TESTS = _HERE.parent
sys.path[:0] = [str(_HERE), str(_TESTS), str(_TESTS / "plan"), str(_TESTS / "lab")]  # whatever pytest's import mode

from real_plays import RealPlays  # noqa: E402 - found by the path above


@pytest.fixture
def plays(tmp_path: Path) -> Iterator[RealPlays]:
    """Plays on an empty home with an awkward name."""
    home = tmp_path / "it's a home"
    home.mkdir()
    (tmp_path / "site").mkdir()
    made = RealPlays(tmp_path / "site", home=home)
    yield made
    made.close()


@pytest.fixture
def account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The home of whoever runs the tests is this one, and so is that of the hosts with a local connection."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.chdir(tmp_path)
    os.umask(0o022)
    return home
