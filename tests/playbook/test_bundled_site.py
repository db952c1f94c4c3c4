"""What comes with the package is nobody's: it works for the next student as it is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = [path for part in ("roles", "playbooks", "templates") for path in (ROOT / part).rglob("*") if path.is_file()]
SHELL = sorted((ROOT / "scupi_provision/shell").glob("*.sh"))

HOME = re.compile(r"/(public/)?home/(?!<)\w+|/Users/\w+|/root\b")
STUDENT = re.compile(r"\b20\d{11}\b")


@pytest.mark.parametrize("path", [*FILES, *SHELL], ids=lambda path: str(path.relative_to(ROOT)))
def test_no_home_and_no_account_is_written_down(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert HOME.findall(text) == []
    assert STUDENT.findall(text) == []


def test_the_inventory_names_students_only_in_comments() -> None:
    lines = (ROOT / "inventory.yaml").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if STUDENT.search(line) and not line.lstrip().startswith("#")] == []
