"""The tutorial says only what is so: every step, test, file, option, message and command that it names is there."""

from __future__ import annotations

import ast
import re
import shlex
import sys
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer

sys.path.insert(0, str(Path(__file__).parent))  # tutorial_page.py, whatever pytest's import mode

from scupi_provision.cli.main import app
from scupi_provision.modules.registry import MODULES
from scupi_provision.playbook.load import load_playbook
from scupi_provision.source import MappingNode, SequenceNode
from scupi_provision.source.reader import read_document, read_text

from tutorial_page import CHINESE, ENGLISH, ROOT

STEPS = 24  # errors and gaps of the old tutorial that are known
PATH = re.compile(r"(?:docs|playbooks|roles|scupi_provision|templates|tests)/[\w./-]+")
NAME = re.compile(r"([a-z]+(?:_[a-z0-9]+)+)(?:: .*)?")  # alone, or with a value
INVENTORY = {"host_keys", "provision_fetch_via"}  # of a host
ENTRY = {"id", "key", "name", "groups", "hosts", "vars", "access"}

pages = pytest.mark.parametrize("page", [ENGLISH, CHINESE], ids=["en", "zh"])


@cache
def options() -> frozenset[str]:
    """Every variable that some role takes."""
    found: set[str] = set()
    for spec in (ROOT / "roles").glob("*/defaults/main.yml"):
        node = read_document(spec)
        assert isinstance(node, MappingNode)
        found |= {str(key) for key, _ in node.items}
    return frozenset(found)


@cache
def functions(file: str) -> frozenset[str]:
    """The tests of a file."""
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


@cache
def source() -> str:
    """All that can say something: the package, the roles, the lines of text in them joined."""
    files = [*(ROOT / "scupi_provision").rglob("*.py"), *(ROOT / "scupi_provision").rglob("*.sh")]
    files += (ROOT / "roles").rglob("*.yml")
    return " ".join(" ".join(path.read_text(encoding="utf-8").split()) for path in files)


def parse(line: str) -> None:
    """Parse a command as the program does, without running it."""
    name, *words = shlex.split(line, comments=True)
    command: Any = typer.main.get_command(app)
    context = None
    with suppress(typer.Exit):  # what --version and --help answer with
        while True:
            context = command.make_context(name, words, parent=context)
            if not hasattr(command, "commands"):
                return
            name, command, words = command.resolve_command(context, [*context._protected_args, *context.args])


@pages
def test_every_step_of_the_old_tutorial_has_a_test_or_a_reason(page):
    assert [row.number for row in page.rows] == list(range(1, STEPS + 1))
    silent = [
        row.number for row in page.rows if not row.tests and not re.search(f"{page.reason} ?\\w.{{15,}}", row.text)
    ]
    assert silent == []


@pages
def test_every_test_that_it_cites_exists(page):
    cited = [citation.split("::") for row in page.rows for citation in row.tests]
    missing = [f"{file}::{name}" for file, name in cited if not (ROOT / file).is_file() or name not in functions(file)]
    assert missing == []


def test_both_languages_have_the_same_tests_commands_code_and_messages():
    assert [row.tests for row in CHINESE.rows] == [row.tests for row in ENGLISH.rows]
    assert CHINESE.commands == ENGLISH.commands
    assert CHINESE.errors == ENGLISH.errors
    for language in ("sh", "text", "yaml"):
        assert [uncommented(block) for block in CHINESE.blocks(language)] == [
            uncommented(block) for block in ENGLISH.blocks(language)
        ]


def uncommented(block: str) -> str:
    """Comments are translated."""
    return re.sub(r" *#.*", "", block)


@pages
def test_every_command_is_one(page):
    assert page.commands
    for line in page.commands:
        parse(line)


def test_a_command_that_is_none_would_be_noticed():
    for line in ("provision aply site.yaml", "provision apply", "provision apply --no-such site.yaml"):
        with pytest.raises(Exception, match=r"(?i)no such|missing"):
            parse(line)


@pages
def test_every_file_that_it_names_exists(page):
    named = [path for code in page.inline for path in PATH.findall(code.split("::")[0])]
    assert [path for path in named if not (ROOT / path).exists()] == []


@pages
def test_every_link_within_it_leads_to_a_heading(page):
    headings = {re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in page.headings}
    assert [target for target in re.findall(r"\]\(#([^)]+)\)", page.text) if target not in headings] == []


@pages
def test_every_name_is_an_option_of_a_role_or_a_module(page):
    names = {name[1] for code in page.inline if (name := NAME.fullmatch(code))}
    assert names
    assert sorted(names - options() - set(MODULES) - INVENTORY) == []


@pages
def test_every_piece_of_yaml_is_taken(page, tmp_path):
    for number, block in enumerate(page.blocks("yaml")):
        node = read_text(block, "tutorial.md")
        if isinstance(node, SequenceNode):
            path = tmp_path / f"{number}.yaml"
            path.write_text(block, encoding="utf-8")
            load_playbook(path, roles_paths=(ROOT / "roles",), registry=MODULES)
            continue
        assert isinstance(node, MappingNode)
        assert unknown_keys(node) == []


def unknown_keys(node: MappingNode) -> list[str]:
    """Of an entry of `accounts:`, or of `vars:` of a playbook."""
    ((name, below),) = node.items
    assert str(name) in {"accounts", "vars"}
    known = ENTRY if str(name) == "accounts" else options()
    entries = below.items if isinstance(below, SequenceNode) else [below]
    return [
        str(key) for entry in entries if isinstance(entry, MappingNode) for key, _ in entry.items if key not in known
    ]


@pages
def test_every_message_that_it_explains_is_said_somewhere(page):
    assert len(page.errors) > 10
    assert [text for text in page.errors if text not in source()] == []
