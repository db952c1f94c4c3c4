"""Plays from text, on a host in memory."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # plays.py, whatever pytest's import mode

from plays import Plays


@pytest.fixture
def plays(tmp_path: Path) -> Plays:
    return Plays(tmp_path)
