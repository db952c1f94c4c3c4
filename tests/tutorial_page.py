"""The tutorial as it stands in a language: its commands, its playbooks, its table of the old tutorial's steps."""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent

_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"`([^`\n]+)`")
_ROW = re.compile(r"^\| (\d+) \|(.*)\|$", re.MULTILINE)


@dataclass(frozen=True)
class Row:
    """What became of one step: its number, its text, the tests that show it (`FILE::NAME`)."""

    number: int
    text: str
    tests: tuple[str, ...]


@dataclass(frozen=True)
class Page:
    """`path` of a page, and the word that introduces why something has no test."""

    path: Path
    reason: str

    @property
    def text(self) -> str:
        return self.path.read_text(encoding="utf-8")

    def blocks(self, language: str) -> list[str]:
        """The contents of its code blocks in `language`."""
        return [block for name, block in _BLOCK.findall(self.text) if name == language]

    @property
    def headings(self) -> list[str]:
        return re.findall(r"^#+ (.+)$", _BLOCK.sub("", self.text), re.MULTILINE)

    @property
    def inline(self) -> list[str]:
        """What it marks as code inside of sentences and tables."""
        return _INLINE.findall(_BLOCK.sub("", self.text))

    @property
    def commands(self) -> list[str]:
        """Every call of provision: first those of code blocks, then those in sentences."""
        typed = [line for block in self.blocks("sh") for line in block.splitlines()]
        return [line for line in [*typed, *self.inline] if re.match(r"provision [a-z-]", line)]

    @property
    def errors(self) -> list[str]:
        """The messages that it explains: the first column of the table below "it says"."""
        (table,) = re.findall(r"^\| --- \| --- \| --- \|\n((?:\|.*\n)+)", self.text, re.MULTILINE)
        return [quoted for line in table.splitlines() for quoted in _INLINE.findall(line.split(" | ")[0])]

    @property
    def rows(self) -> list[Row]:
        """The table of the old tutorial's steps."""
        found = _ROW.findall(self.text)
        return [Row(int(number), text, tuple(re.findall(r"`(tests/\S+::\w+)`", text))) for number, text in found]

    def playbook(self, name: str) -> str:
        """The playbook whose first play is called `name`."""
        (block,) = [block for block in self.blocks("yaml") if f"- name: {name}\n" in block]
        return textwrap.dedent(block)


ENGLISH = Page(ROOT / "docs/tutorial.md", "reason:")
CHINESE = Page(ROOT / "docs/zh/tutorial.md", "原因：")
