"""Texts of playbooks for tests: written to a file, read back with their places."""

from collections.abc import Callable
from pathlib import Path

import pytest
from scupi_provision.errors import Position
from scupi_provision.source import read_document
from scupi_provision.values import TemplateText

PLACE = Position("site.yml", 1, 1)


def template(text: str) -> TemplateText:
    """`text` as it would come from a playbook."""
    return TemplateText(text, PLACE)


@pytest.fixture
def written(tmp_path: Path) -> Callable[[str], TemplateText]:
    """Writes `key: …` to a file and gives the value read from it."""

    def write(yaml: str) -> TemplateText:
        path = tmp_path / "site.yml"
        path.write_text(yaml, encoding="utf-8")
        return read_document(path).get("key")

    return write
