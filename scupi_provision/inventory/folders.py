"""`group_vars/` and `host_vars/`, next to the inventory and next to the playbook."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from scupi_provision.errors import InputError
from scupi_provision.inventory.variables import Problems, read_variables
from scupi_provision.source import read_document

_SUFFIXES = ("", ".yml", ".yaml", ".json")


def read_folder(folder: Path, name: str, problems: Problems) -> dict[str, Any]:
    """Variables of `name` in `folder`: `name`, `name.yml`, `name.yaml`, or every file of the folder `name/`."""
    variables: dict[str, Any] = {}
    for suffix in _SUFFIXES:
        path = folder / f"{name}{suffix}"
        if path.is_dir():
            files = sorted(file for file in path.rglob("*") if file.is_file() and _counts(file))
        else:
            files = [path] if path.is_file() else []
        for file in files:
            variables.update(_read_file(file, problems))
    return variables


def _counts(file: Path) -> bool:
    return file.suffix in _SUFFIXES and not file.name.startswith(".") and not file.name.endswith("~")


def _read_file(path: Path, problems: Problems) -> dict[str, Any]:
    try:
        document = read_document(path)
    except InputError as error:
        problems.extend(error.diagnostics)
        return {}
    return read_variables(document, problems, what="a file of variables")
