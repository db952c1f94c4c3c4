"""The cases of the corpus: what README.md says of them, as values."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from textwrap import indent
from typing import Any

import yaml

FOLDER = Path(__file__).parent / "cases"
SITES = Path(__file__).parent / "sites"
SHOW = "conformance: show"
"""The name of the task that writes what a case shows."""
SHOWN = ".shown.json"
_PLAY = "- hosts: localhost\n  gather_facts: false\n  tasks:\n"
_LOCALHOST = "all: {hosts: {localhost: {ansible_connection: local}}}\n"


@dataclass(frozen=True)
class Case:
    """One playbook that both tools run; the fields are those of README.md."""

    group: str
    case: str
    tasks: str = ""
    playbook: str = ""
    folder: str = ""
    files: dict[str, Any] = field(default_factory=dict)
    home: dict[str, Any] = field(default_factory=dict)
    inventory: str = _LOCALHOST
    show: dict[str, str] = field(default_factory=dict)
    options: list[str] = field(default_factory=list)
    http: dict[str, str] = field(default_factory=dict)
    again: bool = True
    differs: str = ""
    refused: str = ""
    unpredicted: str = ""
    pending: str = ""

    @property
    def id(self) -> str:
        return f"{self.group}: {self.case}"

    @property
    def given(self) -> Path | None:
        """The folder of the corpus that is the site, or None."""
        return SITES / self.folder if self.folder else None

    def site(self) -> str:
        """The text of the playbook."""
        if self.playbook:
            return self.playbook
        if self.given:
            return (self.given / "site.yml").read_text()
        return _PLAY + indent(self.tasks.strip("\n"), "    ") + "\n" + indent(self._showing(), "    ")

    def _showing(self) -> str:
        if not self.show:
            return ""
        pairs = ", ".join(f"{label!r}: ({expression})" for label, expression in self.show.items())
        content = "{{ {" + pairs + "} | to_json }}"
        task = {"name": SHOW, "copy": {"dest": "{{ home }}/" + SHOWN, "content": content}}
        return yaml.safe_dump([task], width=10_000)


def load(folder: Path = FOLDER) -> list[Case]:
    """Every case, in the order of the files and in them."""
    found: list[Case] = []
    for path in sorted(folder.glob("*.yaml")):
        found += [Case(path.stem, **entry) for entry in yaml.safe_load(path.read_text()) or []]
    return found
