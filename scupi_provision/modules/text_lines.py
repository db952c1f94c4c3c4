"""What `lineinfile` and `blockinfile` share: a text file as lines of bytes, and writing it back.

Bytes, not text: what the user has in the file stays as it is, whatever its encoding and line ends.
"""

from __future__ import annotations

import posixpath
import re

from scupi_provision.host.record import TaskFailedError
from scupi_provision.host.view import HostView
from scupi_provision.modules.attributes import FileArgs, backup_path, require_own
from scupi_provision.modules.contract import AliasChoices, Boolean, Field, PathText, Result, Text
from scupi_provision.modules.writing import validation
from scupi_provision.shell.entry import Kind


class EditArgs(FileArgs):
    """A text file of which only a part is ours."""

    path: PathText = Field(
        description="The file. A link is followed.", validation_alias=AliasChoices("path", "dest", "destfile", "name")
    )
    create: Boolean = Field(default=False, description="Make the file, and directories above it, when absent.")
    backup: Boolean = Field(default=False, description="Keep a copy of the file before a change beside it.")
    insertafter: Text | None = Field(
        None, description="Where new lines go: after the last line that this regular expression matches, or EOF."
    )
    insertbefore: Text | None = Field(
        None, description="Where new lines go: before the last line that this regular expression matches, or BOF."
    )
    validate_: Text | None = Field(
        None,
        alias="validate",
        description="A command that must accept the new file before it takes its name; `%s` stands for its path.",
    )


def pattern(text: str | None, name: str) -> re.Pattern[bytes] | None:
    """A regular expression on the bytes of lines, as Ansible compiles it.

    Raises:
        ValueError: It is not one.
    """
    if text is None:
        return None
    try:
        return re.compile(text.encode("utf-8", "surrogateescape"))
    except re.error as error:
        raise ValueError(f"{name} is not a regular expression: {error}") from None


def read_lines(host: HostView, args: EditArgs) -> tuple[str, list[bytes] | None]:
    """The file that `path` names in the end, and its lines with their ends; None when it is absent."""
    require_own(args, host)
    host.want(entries=[args.path, posixpath.dirname(host.path(args.path))], contents=[args.path])
    path = host.resolve(args.path)
    entry = host.entry(path)
    if not entry.exists:
        return path, None
    if entry.kind is not Kind.FILE:
        raise TaskFailedError(f"{path} is not a regular file")
    return path, split_lines(host.content(path))


def split_lines(content: bytes) -> list[bytes]:
    """Lines with their ends; only a line feed ends a line, as for every tool on the host."""
    lines = [line + b"\n" for line in content.split(b"\n")]
    last = lines.pop()[:-1]
    return [*lines, last] if last else lines


def line_end(lines: list[bytes]) -> bytes:
    """What ends the lines of this file, by its first line."""
    return b"\r\n" if lines and lines[0].endswith(b"\r\n") else b"\n"


def end_last_line(lines: list[bytes], before: int) -> None:
    """Make sure that the line before index `before` ends, so that nothing is glued to it."""
    if before and not lines[before - 1].endswith(b"\n"):
        lines[before - 1] += line_end(lines)


def save(host: HostView, args: EditArgs, path: str, lines: list[bytes], message: str) -> Result:
    """Plan that the file has these lines; `message` says what an edit of the lines was, for `register`."""
    if not host.entry(path).exists:
        host.mkdir(posixpath.dirname(path))
    backup = backup_path(host, path) if args.backup and message else None
    changed = host.write(path, b"".join(lines), args.mode, backup=backup, validate=validation(args.validate_))
    values = {"path": path, "msg": message, "backup": backup or ""}
    return Result(changed, values)
