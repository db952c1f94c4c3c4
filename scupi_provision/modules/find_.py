"""`find`: what is in folders of the host, by name, kind, age, size and content. Changes nothing."""

from __future__ import annotations

import posixpath
import re
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, field_validator

from scupi_provision.host.record import TaskFailedError
from scupi_provision.host.view import HostView
from scupi_provision.modules.checksums import Algorithm, sum_on_host
from scupi_provision.modules.contract import (
    AliasChoices,
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
from scupi_provision.modules.found import Filter, holds, is_walked, seconds, size_in_bytes, walk
from scupi_provision.modules.trees import tree_below
from scupi_provision.shell.details import Details
from scupi_provision.shell.entry import Kind


def _paths(value: Any) -> Any:
    return [part.strip() for part in value.split(",")] if isinstance(value, str) else value


class Args(ModuleArgs):
    """Look for files, folders or links."""

    paths: Annotated[list[PathText], BeforeValidator(_paths)] = Field(
        description="The folders to look in.", validation_alias=AliasChoices("paths", "path", "name")
    )
    patterns: Words = Field(
        default=[],
        description="Names: globs of a shell, or expressions with use_regex; none means every name.",
        validation_alias=AliasChoices("patterns", "pattern"),
    )
    excludes: Words = Field(
        default=[],
        description="Names that are left out, written likewise.",
        validation_alias=AliasChoices("excludes", "exclude"),
    )
    contains: Text | None = Field(None, description="An expression that a line of the file must match at its begin.")
    read_whole_file: Boolean = Field(default=False, description="Look for `contains` anywhere in the whole file.")
    encoding: Text | None = Field(None, description="How files are encoded, for `contains`; utf-8 when not given.")
    file_type: Literal["any", "directory", "file", "link"] = Field("file", description="What is looked for.")
    age: Text | None = Field(
        None, description="At least so old: a number with s, m, h, d or w; with a minus, at most so old."
    )
    age_stamp: Literal["atime", "ctime", "mtime"] = Field("mtime", description="Which time `age` is counted from.")
    size: Text | None = Field(
        None, description="At least so large: a number with b, k, m, g or t; with a minus, at most so large."
    )
    recurse: Boolean = Field(default=False, description="Look in the folders below, too.")
    depth: Integer | None = Field(None, description="With recurse, how many levels deep.")
    hidden: Boolean = Field(default=False, description="Names that begin with a dot count, too.")
    follow: Boolean = Field(default=False, description="With recurse, go into folders that links name.")
    get_checksum: Boolean = Field(default=False, description="Whether each file's `checksum` is given.")
    checksum_algorithm: Algorithm = Field(
        "sha1",
        description="How it is made.",
        validation_alias=AliasChoices("checksum_algorithm", "checksum", "checksum_algo"),
    )
    use_regex: Boolean = Field(default=False, description="Names are Python expressions, matched at their begin.")
    mode: Mode | None = Field(None, description="Only what has these permissions.")
    exact_mode: Boolean = Field(default=True, description="Exactly these; else at least these.")
    limit: Integer | None = Field(None, description="Stop after so many; which ones is a matter of chance.")

    @field_validator("age")
    @classmethod
    def _age(cls, value: str | None) -> str | None:
        return value if value is None or seconds(value) is not None else None

    @field_validator("size")
    @classmethod
    def _size(cls, value: str | None) -> str | None:
        return value if value is None or size_in_bytes(value) is not None else None

    @field_validator("limit")
    @classmethod
    def _limit(cls, value: int | None) -> int | None:
        if value is not None and value <= 0:
            raise ValueError(f"limit cannot be {value}")
        return value


def plan(args: Args, host: HostView) -> Result:
    """Nothing to change; what there is."""
    wanted = Filter.of(args, now=host.facts.raw["date"])
    files: list[dict[str, Any]] = []
    skipped: dict[str, str] = {}
    examined = 0
    message = "All paths examined"
    for path in map(host.path, args.paths):
        if host.entry(path, follow=True).kind is not Kind.DIRECTORY:
            skipped[path] = f"'{path}' is not a directory"
            continue
        depth = (args.depth + 1 if args.depth else None) if args.recurse else 1
        tree = tree_below(host, path, depth=depth, links=args.follow)
        examined += len(tree)
        found = {
            posixpath.join(path, name): details
            for name, details in walk(tree)
            if is_walked(args.depth, name, hidden=args.hidden) and wanted.takes(name, details)
        }
        told = _told(args, host, found)
        if args.limit is not None and 0 < args.limit - len(files) <= len(told):
            told, message = told[: args.limit - len(files)], "Limit of matches reached"  # of this folder, as in Ansible
        files += told
    if skipped:
        message = "Not all paths examined, check warnings for details"
    values = {"files": files, "matched": len(files), "examined": examined, "skipped_paths": skipped, "msg": message}
    return Result(values=values)


def _told(args: Args, host: HostView, found: dict[str, Details]) -> list[dict[str, Any]]:
    """What is registered of each, of those whose content is as wanted."""
    regular = [path for path, details in found.items() if details.has_kind("isreg")]
    if args.contains is not None and args.file_type == "file":
        host.want(entries=regular, contents=regular)
        expression = _expression(args.contains)
        found = {path: one for path, one in found.items() if holds(args, expression, host.content(path))}
    if args.get_checksum and args.file_type in {"file", "any"}:
        host.want(entries=regular)
        for path in regular:
            host.entry(path)
    told = []
    for path, details in found.items():
        one = {"path": path, **details.values()}
        if args.get_checksum and details.has_kind("isreg") and args.file_type in {"file", "any"}:
            one["checksum"] = sum_on_host(host, path, args.checksum_algorithm)
        told.append(one)
    return told


def _expression(text: str) -> re.Pattern[str]:
    try:
        return re.compile(text)
    except re.error as error:
        raise TaskFailedError(f"contains is not a regular expression: {error}") from None


MODULE = Module("find", Args, plan, aliases=("ansible.builtin.find",))
