"""What `-i` may name: a file in YAML, INI or JSON, a folder of such files, or hosts with commas between them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from scupi_provision.errors import Diagnostic, InputError, Position
from scupi_provision.inventory.host_words import read_host_word
from scupi_provision.inventory.ini_form import read_ini
from scupi_provision.inventory.listed_form import is_listed, read_listed
from scupi_provision.inventory.tree import UNGROUPED, Tree
from scupi_provision.inventory.variables import Problems
from scupi_provision.inventory.yaml_form import read_yaml
from scupi_provision.source import MappingNode, Node, NullNode, diagnostic, read_text
from scupi_provision.values import SourceText

_PASSED_OVER = re.compile(
    r"^\.|^(host_vars|group_vars|vars_plugins)$"
    r"|(\.pyc|\.pyo|\.swp|\.bak|~|\.rpm|\.md|\.txt|\.rst|\.orig|\.cfg|\.retry)$"
)
"""Names that are no inventory in a folder of inventories: INVENTORY_IGNORE_EXTS of ansible-core 2.19 (config/base.yml),
and what `ansible.inventory.manager` passes over always."""
_YAML_SUFFIXES = frozenset({"", ".yaml", ".yml", ".json"})
"""`yaml_extensions` of Ansible's inventory plugin `yaml`; a file with any other ending is INI."""
_LOOKS_LIKE_YAML = re.compile(r"""\{|---|-\s|%YAML|(?:"[^"]*"|'[^']*'|[^\s\[;=:]+)\s*:(?:\s|$)""")
_INSTEAD = "run it once and use what it prints: ansible-inventory -i {path} --list --yaml > inventory.yaml"


def is_list_of_hosts(source: Path) -> bool:
    """Whether `source` is hosts with commas between them, and no file."""
    return "," in str(source) and not source.exists()


def files_of(source: Path) -> Iterator[Path]:
    """The inventory files that `source` names, in order: itself, or those of a folder, by name.

    Raises:
        InputError: There is nothing of this name, or the folder has no inventory in it.
    """
    if not source.is_dir():
        yield source
        return
    found = list(_files_in(source))
    if not found:
        raise InputError(f"the folder {source} has no inventory in it", hint="name a file, or put one into it")
    yield from found


def _files_in(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir(), key=lambda path: path.name):
        if _PASSED_OVER.search(path.name):
            continue
        if path.is_dir():
            yield from _files_in(path)
        else:
            yield path


def read_list_of_hosts(source: Path, tree: Tree, problems: Problems) -> None:
    """Read `host1,host2,` into `tree`."""
    where = Position(str(source), 1, 1)
    for word in str(source).split(","):
        if not word.strip():
            continue
        names, login = read_host_word(SourceText(word.strip(), where), problems)
        for name in names:
            tree.add_host(name, tree.group(UNGROUPED, where), where, login)


def read_inventory_text(path: Path, text: str, tree: Tree, problems: Problems) -> Sequence[Node]:
    """Read the text of an inventory file into `tree`, in whichever form it is; the values of its `accounts:`.

    Raises:
        InputError: It is none that can be read.
    """
    refuse_programs(path, text)
    if not is_yaml(path, text):
        read_ini(text, str(path), tree, problems)
        return ()
    document = read_text(text, str(path))
    if isinstance(document, NullNode):
        return ()
    if not isinstance(document, MappingNode):
        hint = "begin with `all:`"
        raise InputError.of([diagnostic("an inventory must be a mapping of groups", document.position, hint=hint)])
    if (plugin := document.get("plugin")) is not None:
        summary = "this configures an inventory plugin; no plugin can be run here"
        raise InputError.of([diagnostic(summary, plugin.position, hint=_INSTEAD.format(path=path))])
    if text.lstrip().startswith("{") and is_listed(document):
        read_listed(document, tree, problems)
        return ()
    read_yaml(document, tree, problems)
    accounts = document.get("accounts")
    return () if accounts is None else (accounts,)


def refuse_programs(path: Path, text: str) -> None:
    """Raise InputError for an inventory that is a program, or in a language that we do not read."""
    where = Position(str(path), 1, 1)
    if text.startswith("#!"):
        summary = f"{path} is a script; inventories are read here, never run"
        excerpt = text.splitlines()[0]
        raise InputError.of([Diagnostic(summary, where, excerpt, "", _INSTEAD.format(path=path))])
    if path.suffix == ".toml":
        raise InputError(f"{path}: inventories in TOML are not read", hint=_INSTEAD.format(path=path))


def is_yaml(path: Path, text: str) -> bool:
    """Whether an inventory is YAML (as JSON is), not INI: the first line that says something tells."""
    if path.suffix not in _YAML_SUFFIXES:
        return False
    lines = (line.strip() for line in text.removeprefix("\ufeff").splitlines())
    first = next((line for line in lines if line and not line.startswith("#")), "{")
    return bool(_LOOKS_LIKE_YAML.match(first))
