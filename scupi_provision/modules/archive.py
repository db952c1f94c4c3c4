"""`archive`: files and folders of the host in one compressed file there (`community.general`)."""

from __future__ import annotations

import posixpath
from fnmatch import fnmatchcase
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, model_validator

from scupi_provision.host.record import TaskFailedError
from scupi_provision.host.view import HostView
from scupi_provision.modules.attributes import FileArgs, attributes, require_own
from scupi_provision.modules.contract import Boolean, Field, Module, PathText, Result, Words
from scupi_provision.modules.globbing import expanded
from scupi_provision.modules.trees import tree_below
from scupi_provision.shell.actions import Run
from scupi_provision.shell.details import Details
from scupi_provision.shell.entry import Kind
from scupi_provision.shell.scripts import script
from scupi_provision.shell.words import words
from scupi_provision.values import UnknownValueError

_PROGRAMS = {"gz": "gzip", "bz2": "bzip2", "xz": "xz", "tar": "tar", "zip": "zip"}


def _paths(value: Any) -> Any:
    return [part.strip() for part in value.split(",")] if isinstance(value, str) else value


class Args(FileArgs):
    """Pack files and folders, or compress one file."""

    path: Annotated[list[PathText], BeforeValidator(_paths)] = Field(description="What is packed: paths and globs.")
    dest: PathText | None = Field(None, description="The archive; beside the file that is compressed when not given.")
    format: Literal["bz2", "gz", "tar", "xz", "zip"] = Field("gz", description="How it is packed.")
    exclude_path: Annotated[list[PathText], BeforeValidator(_paths)] = Field(
        default=[], description="Paths and globs that are left out."
    )
    exclusion_patterns: Words = Field(default=[], description="Globs of paths that are left out below folders.")
    force_archive: Boolean = Field(default=False, description="Make an archive of a single file, too.")
    remove: Boolean = Field(default=False, description="Remove what was packed.")

    @model_validator(mode="after")
    def _something(self) -> Args:
        if not self.path:
            raise ValueError("path is empty")
        return self


def plan(args: Args, host: HostView) -> Result:
    """Plan the archive, unless it holds the same already."""
    require_own(args, host)
    found, excluded = expanded(host, args.path), expanded(host, args.exclude_path)
    paths = sorted({*found} - {*excluded})
    if not paths:
        raise TaskFailedError("Error, no source paths were found")
    host.want(entries=paths)
    there = [path for path in paths if host.entry(path).exists]
    root = _root(paths)
    several = args.force_archive or len(paths) > 1 or host.entry(paths[0], follow=True).kind is Kind.DIRECTORY
    several = several or any(set("*?[") & set(path) for path in args.path)
    dest = _dest(args, host, paths, several=several)
    values = {
        "arcroot": root, "expanded_paths": found, "expanded_exclude_paths": excluded,
        "missing": [path for path in paths if path not in there], "archived": [],
    }  # fmt: skip
    if not there:
        state = attributes(host, dest, "dest")
        return Result(values={**values, **state, "dest_state": "archive" if host.entry(dest).exists else "absent"})
    members = _members(args, host, there, root, dest)
    kind = "archive" if several or args.format in {"zip", "tar"} else "compress"
    values |= {"archived": [posixpath.join(root, name) for name in members] if several else there, "dest": dest}
    values["dest_state"] = "incomplete" if values["missing"] else kind
    changed = not _is_same(args, host, dest, root, members, packed=kind == "archive")
    if changed:
        _pack(args, host, dest, root, list(members), packed=kind == "archive")
    elif args.mode is not None:
        changed = host.set_mode(dest, args.mode)
    if args.remove:
        removed = [host.remove(path) for path in there]
        changed = any(removed) or changed
    return Result(changed, {**values, "state": "file"}, unprovable=changed and args.format == "zip")


def _root(paths: list[str]) -> str:
    """The folder that all of them are in, with a final `/`."""
    folders = [posixpath.dirname(path) + "/" for path in paths]
    return posixpath.join(posixpath.dirname(posixpath.commonprefix(folders)), "")


def _dest(args: Args, host: HostView, paths: list[str], *, several: bool) -> str:
    if args.dest is None and several:
        raise TaskFailedError('Error, must specify "dest" when archiving multiple files or trees')
    dest = host.path(args.dest) if args.dest else f"{paths[0]}.{args.format}"
    if args.remove and any((dest + "/").startswith(path + "/") for path in paths):
        raise TaskFailedError("Error, created archive can not be contained in source paths when remove=true")
    return dest


def _members(args: Args, host: HostView, paths: list[str], root: str, dest: str) -> dict[str, Details | None]:
    """The names in the archive; of what is below folders with what is known of it."""
    members: dict[str, Details | None] = {}
    for path in paths:
        if host.entry(path, follow=True).kind is Kind.DIRECTORY:
            members |= {f"{path[len(root) :]}/{name}": one for name, one in tree_below(host, path).items()}
        else:
            members[path[len(root) :]] = None

    def is_left_out(name: str) -> bool:
        return any(fnmatchcase(root + name, p) or fnmatchcase(name, p) for p in args.exclusion_patterns)

    return {name: one for name, one in members.items() if root + name != dest and not is_left_out(name)}


def _is_same(
    args: Args, host: HostView, dest: str, root: str, members: dict[str, Details | None], *, packed: bool
) -> bool:
    """Whether the archive that is there holds just this; no zip can be shown to."""
    if host.entry(dest).kind is not Kind.FILE or args.format == "zip":
        return False
    program = _PROGRAMS[args.format]
    if not packed:
        (name,) = members
        held = host.inspect("unpacked_sum", program, dest, roots=(dest,)).decode("ascii", "replace").strip()
        return held == host.entry(root + name, follow=True).digest
    names = host.inspect("members", dest, program, roots=(dest,)).decode("utf-8", "surrogateescape").splitlines()
    if sorted(name.rstrip("/") for name in names) != sorted(members):
        return False
    roots = (dest, *(root + name for name in members))
    try:
        return host.inspect("differs", dest, root, program, roots=roots).endswith(b"same\n")
    except UnknownValueError:
        return False


def _pack(args: Args, host: HostView, dest: str, root: str, members: list[str], *, packed: bool) -> None:
    settings = {
        "dest": dest, "root": root, "program": _PROGRAMS[args.format], "packed": "yes" if packed else "",
        "mode": args.mode.text if args.mode else "", "members": words(*members),
    }  # fmt: skip
    made = Run(script("archive.sh", **settings), writes=(dest,), creates=(dest,), uses=(root,))
    host.run(made, f"pack {len(members)} {'names' if packed else 'file'} into {dest}")


MODULE = Module("archive", Args, plan, aliases=("community.general.archive",))
