"""What is not documented does not exist, and what is documented does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from scupi_provision import errors
from scupi_provision.cli.main import app
from scupi_provision.modules.registry import MODULES
from scupi_provision.run.outcome import EXIT_DRIFT, EXIT_OK, EXIT_UNVERIFIED
from scupi_provision.source import MappingNode
from scupi_provision.source.reader import read_document

ROOT = Path(__file__).parent.parent
ROLES = sorted(path for path in (ROOT / "roles").iterdir() if path.is_dir())
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "roles").glob("*/README.md")])
ROLE_FILES = ("defaults/main.yml", "tasks/main.yml", "meta/main.yml", "meta/argument_specs.yml", "verify/main.yml")

roles = pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)


def _text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def _keys(path: Path, *way: str) -> set[str]:
    """The keys of the mapping at `way` in a YAML file."""
    node = read_document(path)
    for step in way:
        assert isinstance(node, MappingNode), f"{path}: no mapping above {step}"
        node = node.get(step)
    assert isinstance(node, MappingNode), f"{path}: no mapping at {'.'.join(way)}"
    return {str(key) for key, _ in node.items}


def test_readme_begins_with_the_two_commands():
    """Before the first heading below the title, so that nobody has to scroll."""
    opening = _text("README.md").split("\n## ")[0]
    assert re.findall(r"^    (make \w+)", opening, re.MULTILINE) == ["make demo", "make test"]


def test_every_target_of_the_makefile_says_what_it_does():
    """`make help` reads these lines."""
    makefile = _text("Makefile")
    (phony,) = re.findall(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    documented = re.findall(r"^([a-z]+):.*## \S", makefile, re.MULTILINE)
    assert set(documented) == set(phony.split())


def test_every_exit_code_is_documented():
    """Those of the errors, and those that the command line adds."""
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type)]
    codes = {kind.exit_code for kind in kinds if issubclass(kind, errors.ProvisionError)}
    table = {int(code) for code in re.findall(r"^\| (\d+) \|", _text("README.md"), re.MULTILINE)}
    assert table == codes | {EXIT_OK, EXIT_UNVERIFIED, EXIT_DRIFT, 130}


def test_every_command_is_documented():
    """With an example of how it is called."""
    readme = _text("README.md")
    commands = [command.name or command.callback.__name__ for command in app.registered_commands if command.callback]
    commands += [group.name for group in app.registered_groups]
    assert [name for name in commands if f"`provision {name}" not in readme] == []


def test_every_module_is_in_the_changelog():
    """A module that nobody is told of does not exist."""
    changelog = _text("CHANGELOG.md")
    assert [name for name in MODULES if f"`{name}`" not in changelog] == []


def test_every_room_is_in_the_architecture():
    """And the page stays short enough to be read."""
    page = _text("docs/architecture.md")
    rooms = [path.name for path in (ROOT / "scupi_provision").iterdir() if (path / "__init__.py").exists()]
    assert [room for room in rooms if f"`{room}/`" not in page] == []
    assert len(page.splitlines()) <= 200


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    """Links to files of this project; others are not followed."""
    targets = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    assert [target for target in targets if not (page.parent / target).exists()] == []


def test_decisions_are_numbered_and_complete():
    """Each says why, what, and what follows."""
    pages = sorted((ROOT / "docs/decisions").glob("*.md"))
    numbers = [int(page.name[:4]) for page in pages]
    assert numbers == list(range(1, len(pages) + 1))
    for page in pages:
        text = page.read_text(encoding="utf-8")
        assert text.startswith(f"# {page.name[:4]} "), page.name
        assert re.findall(r"^\*\*(\w+)\.\*\*", text, re.MULTILINE) == ["Context", "Decision", "Consequences"], page.name


@roles
def test_every_role_is_whole(role):
    """A role without a proof, or without a page, is not finished."""
    assert [name for name in (*ROLE_FILES, "README.md") if not (role / name).is_file()] == []


@roles
def test_every_default_is_specified_and_explained(role):
    """What can be set has a type and a description, and its name on the role's page."""
    defaults = _keys(role / "defaults/main.yml")
    assert _keys(role / "meta/argument_specs.yml", "argument_specs", "main", "options") == defaults
    page = (role / "README.md").read_text(encoding="utf-8")
    assert [name for name in sorted(defaults) if f"`{name}`" not in page] == []


@roles
def test_names_of_variables_begin_with_the_role(role):
    """All roles of a play share one space of names."""
    prefix = {"python_venv": "venv"}.get(role.name, role.name)
    files = [role / "defaults/main.yml", role / "vars/main.yml"]
    names = {name for path in files if path.exists() for name in _keys(path)}
    shared = {"sources": {"mirror"}}.get(role.name, set())  # the one word with which a user chooses among all sources
    assert [name for name in sorted(names - shared) if not name.startswith(f"{prefix}_")] == []


@roles
def test_every_check_is_named_as_a_claim(role):
    """Reports show the names."""
    text = (role / "verify/main.yml").read_text(encoding="utf-8")
    tasks = re.findall(r"^- (.*)$", text, re.MULTILINE)
    assert tasks
    assert [task for task in tasks if not task.startswith("name: ")] == []
