"""`copy`: a file or a folder of the controller, given text, or what is on the host already."""

from __future__ import annotations

import json
import posixpath
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, model_validator

from scupi_provision.host.reading import ancestors
from scupi_provision.host.record import TaskFailedError
from scupi_provision.host.view import HostView
from scupi_provision.modules.attributes import attributes, backup_path, require_own
from scupi_provision.modules.checksums import sum_of, sum_on_host
from scupi_provision.modules.contract import (
    Boolean,
    ControllerFile,
    ControllerTree,
    Field,
    Mode,
    Module,
    Result,
    Source,
    Text,
)
from scupi_provision.modules.data import plain_data
from scupi_provision.modules.trees import tree_below
from scupi_provision.modules.writing import WriteArgs, destination, names_directory, put
from scupi_provision.shell.entry import Kind
from scupi_provision.values import FileMode


def _content(value: Any) -> Any:
    return json.dumps(plain_data(value)) if isinstance(value, dict | list) else value


class Args(WriteArgs):
    """Give a file on the host this content: of a controller file, of a text, or of another file on the host."""

    content: Annotated[Text, BeforeValidator(_content)] | None = Field(None, description="The content itself.")
    src: Source | None = Field(None, description="A file or folder: of the controller, or of the host with remote_src.")
    remote_src: Boolean = Field(default=False, description="`src` is on the host already.")
    mode: Literal["preserve"] | Mode | None = Field(
        None, description='Permissions of files: "0644", u=rw,g=r, or `preserve` for those of the source.'
    )
    directory_mode: Mode | None = Field(None, description="Permissions of directories that are made for a folder.")
    local_follow: Boolean = Field(default=True, description="Links in a folder are copied as what they name.")
    checksum: Text | None = Field(None, description="The SHA-1 of what is copied; another content is refused.")
    decrypt: Boolean = Field(default=True, description="Whether a file of the controller in a vault is opened.")

    @model_validator(mode="after")
    def _one_source(self) -> Args:
        if (self.content is None) == (self.src is None):
            raise ValueError("give exactly one of content and src")
        if not self.local_follow and not self.remote_src:
            raise ValueError("local_follow: false is not supported for files of the controller: links are followed")
        return self


def plan(args: Args, host: HostView) -> Result:
    """Plan one file, or every file of a folder."""
    if args.content is not None:
        if names_directory(host, args.dest):
            raise TaskFailedError(f"can not use content with a dir as dest: {args.dest}; dest must name the file")
        content = args.content.encode("utf-8", "surrogateescape")
        return put(host, args, host.path(args.dest), content, _mode(args, None))
    if isinstance(args.src, ControllerTree):
        return _copy_tree(args, args.src, host)
    if isinstance(args.src, ControllerFile):
        path = destination(host, args.dest, args.src.path)
        _require_sum(args, sum_of(args.src.content))
        return put(host, args, path, args.src.content, _mode(args, args.src.mode), secret=args.src.secret)
    return _copy_on_host(args, str(args.src), host)


def _mode(args: Args, original: int | None) -> FileMode | int | None:
    return args.mode if isinstance(args.mode, FileMode) or args.mode is None else original


def _require_sum(args: Args, sha1: str | None) -> None:
    if args.checksum and args.checksum != sha1:
        raise TaskFailedError(f"Copied file does not match the expected checksum: it has {sha1}, not {args.checksum}")


def _copy_tree(args: Args, tree: ControllerTree, host: HostView) -> Result:
    require_own(args, host)
    top = host.path(args.dest)
    if not tree.path.endswith("/"):
        top = posixpath.join(top, posixpath.basename(tree.path))
    paths = {file.path: posixpath.join(top, file.path) for file in tree.files}
    host.want(entries=[top, *paths.values(), *(posixpath.join(top, name) for name in tree.directories)])
    changed = host.mkdir(top, args.directory_mode)
    for name in tree.directories:
        changed = host.mkdir(posixpath.join(top, name), args.directory_mode) or changed
    for file in tree.files:
        changed = (
            put(host, args, paths[file.path], file.content, _mode(args, file.mode), secret=file.secret).changed
            or changed
        )
    return Result(changed, {"dest": args.dest if args.dest.startswith("/") else host.path(args.dest), "src": tree.path})


def _copy_on_host(args: Args, written: str, host: HostView) -> Result:
    require_own(args, host)
    source = host.resolve(written)
    host.want(entries=[source])
    host.want_inspected(source, [("sum", "sha1", source)])
    original = host.entry(source)
    if original.kind is Kind.DIRECTORY:
        return _copy_folder(args, host, source, contents=written.endswith("/"))
    if original.kind is not Kind.FILE:
        raise TaskFailedError(f"Source {source} not found")
    path = destination(host, args.dest, written)
    path = host.resolve(path) if args.follow else path
    sha1 = sum_on_host(host, source)
    _require_sum(args, sha1)
    if args.validate_:
        return put(host, args, path, host.content(source), _mode(args, original.mode))
    if args.dest.endswith("/"):
        host.mkdir(posixpath.dirname(path))
    now = host.entry(path)
    if now.kind is Kind.FILE and not args.force:
        return Result(changed=False, values={"dest": path, "src": source})
    backup = backup_path(host, path) if args.backup and now.digest != original.digest else None
    if backup:
        host.copy(path, backup, now.mode)
    changed = host.copy(source, path, _mode(args, original.mode))
    values = {"dest": path, "src": source, "checksum": sha1, "md5sum": None, **attributes(host, path)}
    return Result(changed, {**values, "backup_file": backup} if backup else values)


def _copy_folder(args: Args, host: HostView, source: str, *, contents: bool) -> Result:
    """A folder of the host: below dest, or with a final `/` what is in it."""
    top = host.path(args.dest)
    if not contents:
        top = posixpath.join(top, posixpath.basename(source))
    if _real(host, top).startswith(_real(host, source).rstrip("/") + "/"):
        raise TaskFailedError(f"{source} cannot be copied into itself: {top} is below it")
    tree = tree_below(host, source)
    pairs = {posixpath.join(source, name): posixpath.join(top, name) for name in tree}
    host.want(entries=[top, *pairs, *pairs.values()])
    changed = host.mkdir(top, args.directory_mode)
    for (path, target), details in zip(pairs.items(), tree.values(), strict=True):
        bits = details.bits & 0o7777
        if details.has_kind("isdir"):
            fresh = not host.entry(target).exists
            changed = host.mkdir(target, args.directory_mode or (bits if fresh else None)) or changed
        elif details.has_kind("islnk") and not args.local_follow:
            changed = host.link(target, host.entry(path).target or "", force=True) or changed
        elif host.entry(path, follow=True).kind is Kind.FILE:
            changed = _copy_one(args, host, host.resolve(path), target) or changed
        else:
            raise TaskFailedError(f"{path} is no file and no folder, and cannot be copied")
    return Result(changed, {"dest": host.path(args.dest), "src": source})


def _real(host: HostView, path: str) -> str:
    """`path` with every link in it followed, as far as it is there."""
    host.want(entries=ancestors(path))
    real = "/"
    for part in path.split("/"):
        real = host.resolve(posixpath.join(real, part))
    return real


def _copy_one(args: Args, host: HostView, path: str, target: str) -> bool:
    now, original = host.entry(target), host.entry(path)
    if now.kind is Kind.FILE and now.digest == original.digest:
        return isinstance(args.mode, FileMode) and host.set_mode(target, args.mode)
    return host.copy(path, target, args.mode if isinstance(args.mode, FileMode) else original.mode)


MODULE = Module("copy", Args, plan, aliases=("ansible.builtin.copy",), files={"src": "files"})
