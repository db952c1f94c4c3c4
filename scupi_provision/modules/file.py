"""`file`: a directory, a link, a mode, times, or that nothing is there."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import model_validator

from scupi_provision.host.reading import ancestors
from scupi_provision.host.record import TaskFailedError
from scupi_provision.host.view import HostView
from scupi_provision.modules.attributes import FileArgs, attributes, require_own
from scupi_provision.modules.contract import AliasChoices, Boolean, Field, Module, PathText, Result, Text
from scupi_provision.modules.file_links import hard_link, link
from scupi_provision.modules.file_times import DEFAULT_FORMAT, Times, Wish, times_to_set
from scupi_provision.modules.trees import tree_below
from scupi_provision.shell.details import Details
from scupi_provision.shell.entry import Entry, Kind
from scupi_provision.values import FileMode

State = Literal["file", "directory", "link", "hard", "absent", "touch"]


class Args(FileArgs):
    """Make a path a directory or a link, set its mode or times, or remove it."""

    path: PathText = Field(description="The path.", validation_alias=AliasChoices("path", "dest", "name"))
    state: State | None = Field(
        None,
        description="What shall be there. `file` only sets the mode of what exists. When not given: what is there"
        " now, `directory` with recurse, else `file`.",
    )
    src: Text | None = Field(
        None, description="Where the link points (state: link, relative to the link's folder), or its file (hard)."
    )
    recurse: Boolean = Field(default=False, description="Give everything below the directory the mode, too.")
    force: Boolean = Field(
        default=False,
        description="Let a link replace a file or an empty directory, or point to what does not exist.",
    )
    follow: Boolean = Field(default=True, description="Mean what a link at `path` points to, not the link.")
    access_time: Text | None = Field(
        None, description="When it was read: `now`, `preserve`, or a time. With state: touch, now; else preserved."
    )
    access_time_format: Text = Field(DEFAULT_FORMAT, description="How access_time is written, as for strftime.")
    modification_time: Text | None = Field(
        None, description="When it was written: `now`, `preserve`, or a time. With state: touch, now; else preserved."
    )
    modification_time_format: Text = Field(
        DEFAULT_FORMAT, description="How modification_time is written, as for strftime."
    )

    @model_validator(mode="after")
    def _fitting(self) -> Args:
        if self.recurse and self.state not in {None, "directory"}:
            raise ValueError("recurse goes with state: directory")
        if self.src is not None and self.state not in {None, "link", "hard"}:
            raise ValueError(f"src goes with state: link or hard, not with {self.state}")
        return self


def plan(args: Args, host: HostView) -> Result:
    """Plan the one state that was asked for."""
    require_own(args, host)
    above = ancestors(host.path(args.path)) if args.state == "directory" else ()
    host.want(entries=[args.path, *above])
    now = host.entry(args.path)
    state = _state(args, now)
    if state == "absent":
        changed = host.remove(args.path)
        return Result(changed, {"path": host.path(args.path), "state": "absent"})
    if state == "link":
        return link(args, host, now)
    if state == "hard":
        return hard_link(args, host, now)
    path = host.resolve(args.path) if args.follow else host.path(args.path)
    now = host.entry(path)
    times = _times(args, host, path, "now" if state == "touch" else "preserve")
    changed = _STATES[state](args, host, path, now, times)
    return Result(changed, attributes(host, path, "dest" if state == "touch" else "path"))


def _state(args: Args, now: Entry) -> State:
    if args.state is not None:
        return args.state
    if args.recurse or now.kind is Kind.DIRECTORY:
        return "directory"
    return "link" if args.src is not None else "file"


def _times(args: Args, host: HostView, path: str, default: str) -> Times:
    accessed = Wish(args.access_time, args.access_time_format)
    return times_to_set(host, path, accessed, Wish(args.modification_time, args.modification_time_format), default)


def _file(args: Args, host: HostView, path: str, now: Entry, times: Times) -> bool:
    if now.kind is not Kind.FILE:
        what = {Kind.ABSENT: "absent", Kind.DIRECTORY: "a directory", Kind.LINK: "a link"}
        hint = "; state: touch or copy makes files" if now.kind is Kind.ABSENT else ""
        raise TaskFailedError(f"file ({path}) is {what.get(now.kind, 'no regular file')}, cannot continue{hint}")
    return _mode_and_times(args, host, path, times)


def _mode_and_times(args: Args, host: HostView, path: str, times: Times) -> bool:
    if times:
        return host.touch(path, args.mode, accessed=times.accessed, modified=times.modified)
    return args.mode is not None and host.set_mode(path, args.mode)


def _touch(args: Args, host: HostView, path: str, now: Entry, times: Times) -> bool:
    if now.exists and not times:
        return args.mode is not None and host.set_mode(path, args.mode)
    return host.touch(path, args.mode, accessed=times.accessed, modified=times.modified)


def _directory(args: Args, host: HostView, path: str, now: Entry, times: Times) -> bool:
    is_deep = args.recurse and now.exists and args.mode is not None
    tree = tree_below(host, path) if is_deep else {}  # while the plan has nothing to say about the directory yet
    changed = _make(args, host, path, now)
    if args.mode is not None:
        changed = _below(args.mode, host, path, tree, follow=args.follow) or changed
    if times:
        changed = host.touch(path, None, accessed=times.accessed, modified=times.modified)
    return changed


def _make(args: Args, host: HostView, path: str, now: Entry) -> bool:
    if now.exists:
        return host.mkdir(path, args.mode)
    above = posixpath.dirname(path)
    if not host.entry(above, follow=True).exists:
        _make(args, host, above, host.entry(above))  # Ansible gives new directories above the same mode
    return host.mkdir(path, args.mode)


def _below(mode: FileMode, host: HostView, path: str, tree: Mapping[str, Details], *, follow: bool) -> bool:
    """Give everything below a directory the mode; what links name only where links are followed."""
    changed = False
    links: list[str] = []
    for relative, details in tree.items():
        one = posixpath.join(path, relative)
        if details.has_kind("islnk"):
            links.append(one)
        else:
            kind = (
                Kind.DIRECTORY if details.has_kind("isdir") else Kind.FILE if details.has_kind("isreg") else Kind.OTHER
            )
            changed = host.set_mode(one, mode, seen=Entry(kind, details.bits & 0o7777)) or changed
    if follow:
        host.want(entries=links)
        for one in links:
            changed = host.set_mode(host.resolve(one), mode) or changed
    return changed


_STATES: dict[str, Any] = {"file": _file, "directory": _directory, "touch": _touch}

MODULE = Module("file", Args, plan, aliases=("ansible.builtin.file",))
