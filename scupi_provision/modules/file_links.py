"""Links of `file`: symbolic ones and hard ones."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from scupi_provision.host.record import TaskFailedError
from scupi_provision.host.view import HostView
from scupi_provision.modules.attributes import attributes
from scupi_provision.modules.contract import Result
from scupi_provision.shell.details import Details, read_details
from scupi_provision.shell.entry import Entry, Kind
from scupi_provision.values import UnknownValueError

if TYPE_CHECKING:
    from scupi_provision.modules.file import Args


def link(args: Args, host: HostView, now: Entry) -> Result:
    """Plan a symbolic link."""
    path = host.path(args.path)
    if args.src is None:
        if now.kind is not Kind.LINK:
            raise TaskFailedError("src is required for creating new symlinks")
        values = {**attributes(host, path, "dest"), "src": now.target}
        changed = args.follow and args.mode is not None and host.set_mode(host.resolve(path), args.mode)
        return Result(changed, values)
    target = host.path(args.src) if args.src.startswith(("~", "$HOME", "${HOME}")) else args.src
    above = path if now.kind is Kind.DIRECTORY else posixpath.dirname(path)
    if not args.force and not _exists(host, posixpath.join(above, target)):
        raise TaskFailedError(f"src file does not exist, force: true makes a link to it all the same: {args.src}")
    replaced = now.kind is Kind.DIRECTORY and _remove_empty(args, host, path)
    changed = host.link(path, target, force=args.force) or replaced
    if args.follow and args.mode is not None and _exists(host, host.resolve(path)):
        changed = host.set_mode(host.resolve(path), args.mode) or changed
    return Result(changed, {**attributes(host, path, "dest"), "src": target})


def _exists(host: HostView, path: str) -> bool:
    try:
        return host.entry(path, follow=True).exists
    except UnknownValueError:
        return True  # a program of this plan makes it


def _remove_empty(args: Args, host: HostView, path: str) -> bool:
    if not args.force:
        raise TaskFailedError(f"refusing to convert from directory to symlink for {path}")
    if host.names(posixpath.join(path, "*")) or host.names(posixpath.join(path, ".*")):
        raise TaskFailedError(f"the directory {path} is not empty, refusing to convert it")
    return host.remove(path)


def hard_link(args: Args, host: HostView, now: Entry) -> Result:
    """Plan another name of a file."""
    path = host.path(args.path)
    if args.src is None:
        if now.kind is not Kind.FILE or _details(host, path).links == 1:
            raise TaskFailedError("src is required for creating new hardlinks")
        changed = args.mode is not None and host.set_mode(path, args.mode)
        return Result(changed, {**attributes(host, path, "dest"), "state": "hard", "src": None})
    source = host.path(args.src)
    host.want(entries=[source])
    if host.entry(source, follow=True).kind is not Kind.FILE:
        raise TaskFailedError(f"src does not exist, or is no file: {source}")
    source = host.resolve(source)
    changed = not (now.kind is Kind.FILE and _is_same(host, path, source))
    if changed:
        if now.exists and now.kind is not Kind.LINK and not args.force:
            raise TaskFailedError(f"Cannot link, something else exists at destination {path}; force: true replaces it")
        host.hard_link(path, source)
    if args.mode is not None:
        changed = host.set_mode(path, args.mode) or changed
    return Result(changed, {**attributes(host, path, "dest"), "state": "hard", "src": args.src})


def _is_same(host: HostView, path: str, source: str) -> bool:
    one, other = _details(host, path), _details(host, source)
    return (one.device, one.inode) == (other.device, other.inode)


def _details(host: HostView, path: str) -> Details:
    return read_details(host.inspect("stat", path, roots=(path,)).decode("utf-8", "replace").partition("\n")[0])
