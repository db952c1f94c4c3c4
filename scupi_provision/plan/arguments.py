"""A task's arguments as its module gets them: rendered, conditions judged, files of the controller read."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from scupi_provision.errors import InputError
from scupi_provision.modules.contract import (
    Condition,
    ControllerFile,
    ControllerTree,
    Evaluated,
    Module,
    controller_files,
    rendering_options,
)
from scupi_provision.plan.secrecy import opened_file
from scupi_provision.playbook.arguments import with_free_form
from scupi_provision.playbook.files import candidates
from scupi_provision.playbook.given_arguments import given_arguments
from scupi_provision.playbook.models import Task
from scupi_provision.playbook.templating import OMIT, Templar, render_template
from scupi_provision.source import diagnostic
from scupi_provision.values import SourceText, TemplateText

_LARGEST_FILE = 256 * 1024 * 1024
"""Bytes of a controller file that travel inside a play; larger ones belong on a server, for get_url to fetch."""


def module_arguments(module: Module, task: Task, templar: Templar) -> dict[str, Any]:
    """The arguments of `task`, ready to be typed.

    Raises:
        InputError: A template is wrong, or a file of the controller cannot be had.
        UnknownValueError: They depend on a program that has not run.
    """
    values: dict[str, Any] = {}
    for name, value in with_free_form(module, given_arguments(module, task, templar.render)).items():
        if name in module.conditions:
            values[name] = _judged(value, templar)
        elif name in module.expressions:
            values[name] = _evaluated(value, templar)
        else:
            rendered = templar.render(value)
            if rendered is not OMIT:
                values[name] = rendered
    if module.prepare is not None:
        values = module.prepare(values, templar.variables.get)
    options = rendering_options(module, values)
    for name, folder in controller_files(module, values).items():
        values[name] = _Finder(task, templar, folder, opens=_opens(values), options=options).find(values[name])
    return values


def _opens(values: dict[str, Any]) -> bool:
    """Whether vaults among the files are opened (`decrypt`), as they are unless a task says otherwise."""
    return str(values.get("decrypt", "")).lower() not in {"false", "no", "off", "0"}


def _judged(value: Any, templar: Templar) -> list[Condition]:
    conditions = value if isinstance(value, list | tuple) else [value]
    return [Condition(str(condition), templar.holds(condition)) for condition in conditions]


def _evaluated(value: Any, templar: Templar) -> Evaluated:
    if not isinstance(value, SourceText):
        return Evaluated(str(value), value)
    text = str(value).strip()
    inner = text[2:-2] if text.startswith("{{") and text.endswith("}}") else text
    template = TemplateText("{{ " + inner.strip() + " }}", value.position)
    return Evaluated(inner.strip(), templar.render(template))


class _Finder:
    """Looks up what a `src` names: in the role's folder for it, then beside the playbook (Ansible's search order)."""

    def __init__(self, task: Task, templar: Templar, folder: str, *, opens: bool, options: Mapping[str, Any]) -> None:
        self._task = task
        self._opens = opens
        self._templar = templar
        self._folder = folder
        self._options = options

    def find(self, value: Any) -> ControllerFile | ControllerTree:
        text = str(value)
        path = self._existing(Path(text).expanduser(), value)
        if path.is_dir():
            return self._tree(text, path)
        content, secret = self._read(path, value)
        if self._folder == "templates":
            content = self._rendered(path, content, value)
        return ControllerFile(text, content, path.stat().st_mode & 0o7777, secret)

    def _existing(self, path: Path, value: Any) -> Path:
        places = candidates(str(path), self._folder, self._templar.search_paths)
        for place in places:
            if place.exists():
                return place
        tried = "\n".join(f"looked at {place}" for place in places)
        raise InputError.of([diagnostic(f"{value}: no such file here", self._where(value), detail=tried)])

    def _read(self, path: Path, value: Any) -> tuple[bytes, bool]:
        """The content of a file, and whether it came out of a vault."""
        try:
            if path.stat().st_size > _LARGEST_FILE:
                hint = "put it on a server and use get_url"
                raise InputError.of([diagnostic(f"{path} is too large to be copied", self._where(value), hint=hint)])
            content = path.read_bytes()
        except OSError as error:
            raise InputError.of([diagnostic(f"{path}: {error.strerror}", self._where(value))]) from error
        return opened_file(content, str(path), self._where(value)) if self._opens else (content, False)

    def _rendered(self, path: Path, content: bytes, value: Any) -> bytes:
        try:
            text = content.decode("utf-8")
        except UnicodeDecodeError as error:
            raise InputError.of([diagnostic(f"{path} is not UTF-8 text", self._where(value))]) from error
        searched = (path.parent, *self._templar.search_paths)
        made = render_template(
            text, name=str(path), variables=self._templar, search_paths=searched, options=self._options
        )
        return made.encode("utf-8", "surrogateescape")

    def _where(self, value: Any) -> Any:
        return value.position if isinstance(value, SourceText) else self._task.where

    def _tree(self, name: str, root: Path) -> ControllerTree:
        # What this Python has compiled for itself is nobody's file: it would differ from one controller to the next.
        found = sorted(path for path in root.rglob("*") if "__pycache__" not in path.relative_to(root).parts)
        files = []
        for path in found:
            if path.is_file():
                content, secret = self._read(path, name)
                inside = path.relative_to(root).as_posix()
                files.append(ControllerFile(inside, content, path.stat().st_mode & 0o7777, secret))
        folders = tuple(path.relative_to(root).as_posix() for path in found if path.is_dir())
        return ControllerTree(name, tuple(files), folders)
