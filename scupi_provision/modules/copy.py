"""`copy`: a file or a folder of the controller, given text, or a file that is on the host already."""

from __future__ import annotations

import json
import posixpath
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, model_validator

from scupi_provision.host.record import TaskFailedError
from scupi_provision.host.view import HostView
from scupi_provision.modules.attributes import attributes, backup_path, require_own
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
from scupi_provision.modules.writing import WriteArgs, destination, names_directory, put
from scupi_provision.shell.entry import Kind
from scupi_provision.values import FileMode, plain_value


def _content(value: Any) -> Any:
    return json.dumps(plain_value(value)) if isinstance(value, dict | list) else value


class Args(WriteArgs):
    """Give a file on the host this content: of a controller file, of a text, or of another file on the host."""

    content: Annotated[Text, BeforeValidator(_content)] | None = Field(None, description="The content itself.")
    src: Source | None = Field(None, description="A file or folder: of the controller, or of the host with remote_src.")
    remote_src: Boolean = Field(default=False, description="`src` is a file that is on the host already.")
    mode: Literal["preserve"] | Mode | None = Field(
        None, description='Permissions of files: "0644", u=rw,g=r, or `preserve` for those of the source.'
    )
    directory_mode: Mode | None = Field(None, description="Permissions of directories that are made for a folder.")
    local_follow: Boolean = Field(default=True, description="Links of the controller are copied as what they name.")
    decrypt: Boolean = Field(default=True, description="Accepted as Ansible has it; vault files are not supported.")

    @model_validator(mode="after")
    def _one_source(self) -> Args:
        if (self.content is None) == (self.src is None):
            raise ValueError("give exactly one of content and src")
        return self


def plan(args: Args, host: HostView) -> Result:
    """Plan one file, or every file of a folder."""
    if args.content is not None:
        if names_directory(host, args.dest):
            raise TaskFailedError(f"{args.dest} is a directory; with content, dest must name the file")
        content = args.content.encode("utf-8", "surrogateescape")
        return put(host, args, host.path(args.dest), content, _mode(args, None))
    if isinstance(args.src, ControllerTree):
        return _copy_tree(args, args.src, host)
    if isinstance(args.src, ControllerFile):
        path = destination(host, args.dest, args.src.path)
        return put(host, args, path, args.src.content, _mode(args, args.src.mode))
    return _copy_on_host(args, str(args.src), host)


def _mode(args: Args, original: int | None) -> FileMode | int | None:
    return args.mode if isinstance(args.mode, FileMode) or args.mode is None else original


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
        changed = put(host, args, paths[file.path], file.content, _mode(args, file.mode)).changed or changed
    return Result(changed, {"dest": top, "src": tree.path})


def _copy_on_host(args: Args, source: str, host: HostView) -> Result:
    require_own(args, host)
    source = host.resolve(source)
    path = destination(host, args.dest, source)
    host.want(entries=[source, path])
    original = host.entry(source)
    if original.kind is Kind.DIRECTORY:
        raise TaskFailedError(f"{source} is a directory; with remote_src only files can be copied (`command: cp -r …`)")
    if args.validate_:
        raise TaskFailedError("validate cannot be used with remote_src")
    now = host.entry(path)
    if now.kind is Kind.FILE and not args.force:
        return Result(changed=False, values={"dest": path, "src": source})
    backup = backup_path(host, path) if args.backup and now.digest != original.digest else None
    if backup:
        host.copy(path, backup, now.mode)
    changed = host.copy(source, path, _mode(args, original.mode))
    values = {"dest": path, "src": source, "checksum": original.digest, **attributes(host, path)}
    return Result(changed, {**values, "backup_file": backup} if backup else values)


MODULE = Module("copy", Args, plan, aliases=("ansible.builtin.copy",), files={"src": "files"})
