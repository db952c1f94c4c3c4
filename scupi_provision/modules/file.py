"""`file`: a directory, a symbolic link, a mode, or that nothing is there."""

from __future__ import annotations

import posixpath
from typing import Literal

from scupi_provision.host.reading import ancestors
from scupi_provision.host.record import TaskFailedError
from scupi_provision.host.view import HostView
from scupi_provision.modules.attributes import FileArgs, attributes, require_own
from scupi_provision.modules.contract import AliasChoices, Boolean, Field, Module, PathText, Result, Text
from scupi_provision.shell.entry import Entry, Kind
from scupi_provision.values import FileMode, UnknownValueError

State = Literal["file", "directory", "link", "hard", "absent", "touch"]


class Args(FileArgs):
    """Make a path a directory or a symbolic link, set its mode, or remove it."""

    path: PathText = Field(description="The path.", validation_alias=AliasChoices("path", "dest", "name"))
    state: State | None = Field(
        None,
        description="What shall be there. `file` only sets the mode of what exists. When not given: what is there"
        " now, `directory` with recurse, else `file`.",
    )
    src: Text | None = Field(None, description="Where the link points (state: link); relative to the link's folder.")
    recurse: Boolean = Field(default=False, description="Not supported: a plan does not know what is below.")
    force: Boolean = Field(default=False, description="Let a link replace a file, or point to what does not exist.")
    follow: Boolean = Field(default=True, description="Mean what a link at `path` points to, not the link.")


def plan(args: Args, host: HostView) -> Result:
    """Plan the one state that was asked for."""
    require_own(args, host)
    if args.recurse:
        raise TaskFailedError("recurse is not supported; use `command: chmod -R …` with creates or changed_when")
    above = ancestors(host.path(args.path)) if args.state == "directory" else ()
    host.want(entries=[args.path, *above])
    path, now = args.path, host.entry(args.path)
    state = args.state or _current_state(now, linked=args.src is not None)
    if state == "link":
        return _link(args, host, now)
    if state == "hard":
        raise TaskFailedError("hard links are not supported; use state: link")
    if state == "absent":
        changed = host.remove(path)
        return Result(changed, {"path": host.path(path), "state": "absent"})
    if args.src is not None:
        raise TaskFailedError(f"src goes with state: link, not with {state}")
    if args.follow and now.kind is Kind.LINK:
        path = host.resolve(path)
        now = host.entry(path)
    changed = _STATES[state](host, path, now, args.mode)
    return Result(changed, attributes(host, path))


def _current_state(now: Entry, *, linked: bool) -> State:
    if linked or now.kind is Kind.LINK:
        return "link" if linked else "file"
    return "directory" if now.kind is Kind.DIRECTORY else "file"


def _file(host: HostView, path: str, now: Entry, mode: FileMode | None) -> bool:
    if now.kind is not Kind.FILE:
        what = {Kind.ABSENT: "is absent", Kind.DIRECTORY: "is a directory", Kind.LINK: "is a link"}
        hint = "; state: touch or copy makes files" if now.kind is Kind.ABSENT else ""
        raise TaskFailedError(f"{host.path(path)} {what.get(now.kind, 'is not a regular file')}{hint}")
    return mode is not None and host.set_mode(path, mode)


def _directory(host: HostView, path: str, now: Entry, mode: FileMode | None) -> bool:
    if now.exists:
        return host.mkdir(path, mode)
    path = host.path(path)
    above = posixpath.dirname(path)
    if not host.entry(above, follow=True).exists:
        _directory(host, above, host.entry(above), mode)  # Ansible gives new directories above the same mode
    return host.mkdir(path, mode)


def _touch(host: HostView, path: str, _now: Entry, mode: FileMode | None) -> bool:
    return host.touch(path, mode)


_STATES = {"file": _file, "directory": _directory, "touch": _touch}


def _link(args: Args, host: HostView, now: Entry) -> Result:
    if args.src is None:
        if now.kind is not Kind.LINK:
            raise TaskFailedError("state: link needs src, where the link points")
        return Result(changed=False, values={"dest": host.path(args.path), "src": now.target, "state": "link"})
    target = _target(host, args.src)
    path = host.path(args.path)
    if not args.force and not _exists(host, posixpath.join(posixpath.dirname(path), target)):
        raise TaskFailedError(f"{args.src} does not exist; force: true makes a link to it all the same")
    changed = host.link(path, target, force=args.force)
    return Result(changed, {"dest": path, "src": target, "state": "link"})


def _exists(host: HostView, path: str) -> bool:
    try:
        return host.entry(path, follow=True).exists
    except UnknownValueError:
        return True  # a program of this plan makes it


def _target(host: HostView, text: str) -> str:
    return host.path(text) if text.startswith(("~", "$HOME", "${HOME}")) else text


MODULE = Module("file", Args, plan, aliases=("ansible.builtin.file",))
