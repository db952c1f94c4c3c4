"""What `copy` and `template` share: where the file goes, and how it gets there."""

from __future__ import annotations

import posixpath
from typing import Any

from scupi_provision.host.record import TaskFailedError
from scupi_provision.host.view import HostView
from scupi_provision.modules.attributes import OwnedArgs, attributes, backup_path, require_own
from scupi_provision.modules.checksums import sum_of
from scupi_provision.modules.contract import Boolean, Field, PathText, Result, Text
from scupi_provision.modules.words import split_words
from scupi_provision.shell.entry import Kind
from scupi_provision.values import FileMode


class WriteArgs(OwnedArgs):
    """A file that is replaced as a whole."""

    dest: PathText = Field(description="Where the file goes; into the directory when it is one or ends in `/`.")
    force: Boolean = Field(default=True, description="Replace a file that is there with other content.")
    backup: Boolean = Field(default=False, description="Keep a copy of the file that is replaced beside it.")
    follow: Boolean = Field(
        default=False, description="Write to what a link at `dest` points to, instead of replacing the link."
    )
    validate_: Text | None = Field(
        None,
        alias="validate",
        description="A command that must accept the new file before it takes its name; `%s` stands for its path.",
    )


def names_directory(host: HostView, dest: str) -> bool:
    """Whether `dest` is a directory, or says by a final `/` that it shall be one."""
    host.want(entries=[dest, posixpath.dirname(host.path(dest))])
    return dest.endswith("/") or host.entry(dest, follow=True).kind is Kind.DIRECTORY


def destination(host: HostView, dest: str, name: str) -> str:
    """The path of the file `name` copied to `dest`: below it when that is a directory or says so by a final `/`."""
    if names_directory(host, dest):
        return posixpath.join(host.path(dest), posixpath.basename(name.rstrip("/")))
    return host.path(dest)


def validation(command: str | None) -> tuple[str, ...]:
    """`validate` as words, which are run without a shell."""
    if command is None:
        return ()
    if "%s" not in command:
        raise TaskFailedError(f"validate needs %s where the file's path goes: {command}")
    return tuple(split_words(command, "validate"))


def put(
    host: HostView, args: WriteArgs, path: str, content: bytes, mode: FileMode | int | None, *, secret: bool = False
) -> Result:
    """Plan that `path` has this content and mode."""
    require_own(args, host)
    if args.dest.endswith("/"):
        host.mkdir(posixpath.dirname(path))
    if args.follow:
        path = host.resolve(path)
    now = host.entry(path)
    if now.kind is Kind.FILE and not args.force:
        changed = mode is not None and host.set_mode(path, mode)
        return Result(changed, {"dest": path, **attributes(host, path)})
    checksum = sum_of(content)
    backup = backup_path(host, path) if args.backup else None
    changed = host.write(path, content, mode, backup=backup, validate=validation(args.validate_), secret=secret)
    values: dict[str, Any] = {"dest": path, **attributes(host, path)}
    values |= {"checksum": checksum, "md5sum": sum_of(content, "md5")}
    if backup and now.digest != host.entry(path).digest:
        values["backup_file"] = backup
    return Result(changed, values)
