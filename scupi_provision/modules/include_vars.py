"""`include_vars`: variables from files of the controller, for the rest of the play."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from pydantic import AliasChoices, field_validator, model_validator

from scupi_provision.host.record import TaskFailedError
from scupi_provision.host.view import HostView
from scupi_provision.modules.contract import (
    Boolean,
    ControllerFile,
    ControllerTree,
    Field,
    Integer,
    Lookup,
    Module,
    ModuleArgs,
    Result,
    Source,
    Text,
)
from scupi_provision.source import implicit, read_bytes

_ONLY_OF_A_FOLDER = {
    "depth",
    "files_matching",
    "ignore_files",
    "extensions",
    "ignore_unknown_extensions",
}


class Args(ModuleArgs):
    """Read variables from a file, or from every file of a folder."""

    file: Source | None = Field(None, description="The file, in `vars/` of the role or beside the playbook.")
    dir: Source | None = Field(None, description="A folder; its files are read in the order of their names.")
    name: Text | None = Field(None, description="Put the variables into a mapping of this name.")
    depth: Integer = Field(0, description="With dir: how many folders are read; 0: all below it, too.")
    files_matching: Text | None = Field(None, description="With dir: only files whose name matches this pattern.")
    ignore_files: list[Text] = Field([], description="With dir: no files whose name ends with one of these patterns.")
    extensions: list[Text] = Field(["yaml", "yml", "json"], description="With dir: the endings of files of variables.")
    ignore_unknown_extensions: Boolean = Field(
        default=False, description="With dir: leave files with other endings out, rather than fail."
    )
    hash_behaviour: Text | None = Field(
        None,
        validation_alias=AliasChoices("hash_behaviour", "hash_behavior"),
        description="`replace`, which is what happens in any case.",
    )

    @field_validator("ignore_files", "extensions", mode="before")
    @classmethod
    def _listed(cls, value: Any) -> Any:
        return value.split() if isinstance(value, str) else value

    @model_validator(mode="after")
    def _one_form(self) -> Args:
        if (self.file is None) == (self.dir is None):
            raise ValueError("give file or dir, and only one of them")
        if self.file is not None and self.model_fields_set & _ONLY_OF_A_FOLDER:
            raise ValueError(f"{', '.join(sorted(self.model_fields_set & _ONLY_OF_A_FOLDER))} can only stand with dir")
        if self.hash_behaviour not in (None, "replace"):
            raise ValueError("hash_behaviour merge is not supported; give it a `name` and use the filter combine")
        return self


def prepare(values: dict[str, Any], lookup: Lookup) -> dict[str, Any]:
    """Name the file as it is found, for `ansible_included_var_files`; what is not found stays as it was written."""
    folders = [Path(folder) for folder in lookup("ansible_search_path", [])]
    return {name: _found(str(value), folders) if name in ("file", "dir") else value for name, value in values.items()}


def _found(name: str, folders: list[Path]) -> str:
    written = Path(name.strip()).expanduser()
    places = (place for folder in folders for place in (folder / "vars" / written, folder / written))
    return str(next((place.absolute() for place in places if place.exists()), written))


def plan(args: Args, _host: HostView) -> Result:
    """The variables, as written: a template in them is rendered where it is used."""
    read: list[str] = []
    variables: dict[str, Any] = {}
    for file in _files(args):
        variables.update(_variables(file))
        read.append(file.path)
    facts = {args.name: variables} if args.name else variables
    return Result(values={"ansible_facts": facts, "ansible_included_var_files": read}, facts=facts)


def _files(args: Args) -> Iterator[ControllerFile]:
    if isinstance(args.file, ControllerFile):
        yield args.file
        return
    tree = args.dir
    if not isinstance(tree, ControllerTree):
        raise TaskFailedError(f"{getattr(tree or args.file, 'path', tree)} is not a {'directory' if tree else 'file'}")
    root = PurePosixPath(tree.path)
    folders = sorted({str(root), *(str(root / folder) for folder in tree.directories)})
    wanted = folders[: args.depth or None]
    for folder in wanted:
        inside = (file for file in tree.files if str((root / file.path).parent) == folder)
        for file in sorted(inside, key=lambda file: file.path):
            path = root / file.path
            if _counts(path, args):
                yield ControllerFile(str(path), file.content, file.mode)


def _counts(path: PurePosixPath, args: Args) -> bool:
    if args.files_matching and not re.search(args.files_matching, path.name):
        return False
    if any(re.search(f"{pattern}$", path.name) for pattern in args.ignore_files):
        return False
    if path.suffix.removeprefix(".") in args.extensions:
        return True
    if args.ignore_unknown_extensions:
        return False
    raise TaskFailedError(f"{path} does not have a valid extension: {', '.join(args.extensions)}")


def _variables(file: ControllerFile) -> dict[str, Any]:
    value = implicit(read_bytes(file.content, file.path))
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise TaskFailedError(f"{file.path} must be a mapping of names to values")
    return value


MODULE = Module(
    "include_vars",
    Args,
    plan,
    free_form="file",
    aliases=("ansible.builtin.include_vars",),
    files={"file": "vars", "dir": "vars"},
    prepare=prepare,
)
