"""A small registry of modules, and sites written into a scratch folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import pytest
from pydantic import AliasChoices, ConfigDict, model_validator
from scupi_provision.errors import InputError
from scupi_provision.modules.contract import (
    Boolean,
    Field,
    Integer,
    Mode,
    Module,
    ModuleArgs,
    PathText,
    Result,
    Text,
    Words,
)
from scupi_provision.playbook.load import load_playbook
from scupi_provision.playbook.models import Item, Playbook, Task


class FileArgs(ModuleArgs):
    path: PathText = Field(validation_alias=AliasChoices("path", "dest", "name"))
    state: Literal["file", "directory", "link", "absent", "touch"] = "file"
    src: PathText | None = None
    mode: Mode | None = None
    recurse: Boolean = False


class CopyArgs(ModuleArgs):
    dest: PathText
    src: Text | None = None
    content: Text | None = None
    mode: Mode | None = None
    remote_src: Boolean = False

    @model_validator(mode="after")
    def _one_source(self) -> CopyArgs:
        if (self.src is None) == (self.content is None):
            raise ValueError("give either src or content")
        return self


class TemplateArgs(ModuleArgs):
    src: Text
    dest: PathText
    mode: Mode | None = None


class CommandArgs(ModuleArgs):
    cmd: Text | None = None
    argv: list[Text] | None = None
    chdir: PathText | None = None
    creates: PathText | None = None


class DebugArgs(ModuleArgs):
    msg: Any = "Hello world!"
    var: Text | None = None
    verbosity: Integer = 0


class AssertArgs(ModuleArgs):
    that: Any
    fail_msg: Text | None = Field(default=None, validation_alias=AliasChoices("fail_msg", "msg"))


class SetFactArgs(ModuleArgs):
    model_config = ConfigDict(extra="allow")
    cacheable: Boolean = False


class PipArgs(ModuleArgs):
    name: Words


class StatArgs(ModuleArgs):
    path: PathText


def _plan(args: Any, host: Any) -> Result:
    return Result()


REGISTRY = {
    module.name: module
    for module in (
        Module("file", FileArgs, _plan),
        Module("copy", CopyArgs, _plan, files={"src": "files"}),
        Module("template", TemplateArgs, _plan, files={"src": "templates"}),
        Module("command", CommandArgs, _plan, free_form="cmd"),
        Module("shell", CommandArgs, _plan, free_form="cmd"),
        Module("debug", DebugArgs, _plan, expressions=("var",)),
        Module("assert", AssertArgs, _plan, conditions=("that",)),
        Module("set_fact", SetFactArgs, _plan),
        Module("add_host", SetFactArgs, _plan),
        Module("include_vars", SetFactArgs, _plan),
        Module("pip", PipArgs, _plan, aliases=("community.general.pip", "pip3")),
        Module("stat", StatArgs, _plan),
    )
}


class Site:
    """Files in a scratch folder, and what loading them gives."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def load(self, text: str, *roles_paths: Path) -> Playbook:
        return load_playbook(self.write("site.yaml", text), roles_paths=roles_paths, registry=REGISTRY)

    def tasks(self, text: str) -> tuple[Item, ...]:
        """The items of one play with these lines below `tasks:` (unindented)."""
        lines = "".join(f"    {line}\n" for line in text.splitlines())
        return self.load(f"- hosts: all\n  tasks:\n{lines}").plays[0].tasks

    def task(self, text: str) -> Task:
        (item,) = self.tasks(text)
        assert isinstance(item, Task)
        return item

    def shorten(self, error: InputError) -> list[str]:
        """Everything wrong, with file names below the scratch folder."""
        return [str(diagnostic).replace(f"{self.folder}/", "") for diagnostic in error.diagnostics]

    def problems(self, text: str, load: Callable[[str], Any] | None = None) -> list[str]:
        with pytest.raises(InputError) as caught:
            (load or self.load)(text)
        return self.shorten(caught.value)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)
