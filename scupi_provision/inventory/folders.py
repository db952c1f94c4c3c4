"""`group_vars/` and `host_vars/`, next to the inventory and next to the playbook."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from scupi_provision.errors import InputError
from scupi_provision.inventory.variables import Problems, read_variables
from scupi_provision.source import read_document

_SUFFIXES = ("", ".yml", ".yaml", ".json")
"""YAML_FILENAME_EXTENSIONS of ansible-core 2.19 (config/base.yml), and none at all."""


@dataclass(frozen=True)
class FileVariables:
    """The variables that one file says."""

    path: Path
    variables: dict[Any, Any]


@dataclass(frozen=True)
class VariableFolders:
    """Reads files of variables, each once, however many hosts they are for."""

    problems: Problems
    _read: dict[tuple[Path, str], tuple[FileVariables, ...]] = field(default_factory=dict)

    def read(self, folder: Path, name: str) -> tuple[FileVariables, ...]:
        """What `folder` says of `name`: the file `name`, `name.yml`, `name.yaml` or `name.json`, the first there is.

        A folder `name/` stands for every file in it, by name, folders in it included.
        """
        key = (folder, name)
        if key not in self._read:
            self._read[key] = tuple(FileVariables(path, self._variables(path)) for path in _files(folder, name))
        return self._read[key]

    def _variables(self, path: Path) -> dict[Any, Any]:
        try:
            document = read_document(path)
        except InputError as error:
            self.problems.extend(error.diagnostics)
            return {}
        return read_variables(document, self.problems, what="a file of variables")


def _files(folder: Path, name: str) -> Iterator[Path]:
    for suffix in _SUFFIXES:
        path = folder / f"{name}{suffix}"
        if path.is_dir():
            yield from _files_below(path)
            return
        if path.is_file():
            yield path
            return


def _files_below(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir(), key=lambda path: path.name):
        if path.name.startswith(".") or path.name.endswith("~"):
            continue
        if path.is_dir() and not path.suffix:
            yield from _files_below(path)
        elif path.is_file() and path.suffix in _SUFFIXES:
            yield path
