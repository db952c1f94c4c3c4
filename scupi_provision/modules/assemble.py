"""`assemble`: one file out of all files of a folder, in the order of their names."""

from __future__ import annotations

import codecs
import posixpath
import re
from collections.abc import Iterable
from typing import Any

from pydantic import field_validator

from scupi_provision.host.record import TaskFailedError
from scupi_provision.host.view import HostView
from scupi_provision.modules.attributes import FileArgs
from scupi_provision.modules.contract import Boolean, ControllerTree, Field, Module, Result, Source, Text
from scupi_provision.modules.writing import WriteArgs, put
from scupi_provision.shell.entry import Kind


class Args(WriteArgs, FileArgs):
    """Put the files of a folder together to one."""

    src: Source = Field(description="The folder: of the host, or of the controller with remote_src: false.")
    remote_src: Boolean = Field(default=True, description="`src` is a folder of the host.")
    delimiter: Text | None = Field(None, description="What stands between two files, on lines of its own.")
    regexp: Text | None = Field(None, description="Only files are taken in whose names this matches somewhere.")
    ignore_hidden: Boolean = Field(default=False, description="Leave out files whose names begin with a dot.")
    decrypt: Boolean = Field(default=True, description="Whether files of the controller in a vault are opened.")

    @field_validator("regexp")
    @classmethod
    def _expression(cls, value: str | None) -> str | None:
        try:
            re.compile(value or "")
        except re.error as error:
            raise ValueError(f"regexp is not a regular expression: {error}") from None
        return value

    @field_validator("delimiter")
    @classmethod
    def _delimiter(cls, value: str | None) -> str | None:
        try:
            _unescaped(value or "")
        except ValueError as error:
            raise ValueError(f"delimiter has a backslash that means nothing: {error}") from None
        return value


def plan(args: Args, host: HostView) -> Result:
    """Plan the file that they make."""
    if isinstance(args.src, ControllerTree):
        parts = {file.path: file.content for file in args.src.files if "/" not in file.path}
        source = args.src.path
    elif isinstance(args.src, str) and args.remote_src:
        source = host.resolve(args.src)
        parts = _on_host(args, host, source)
    else:
        raise TaskFailedError(f"Source ({args.src if isinstance(args.src, str) else args.src.path}) is not a directory")
    content = b"".join(_joined(args, (parts[name] for name in sorted(parts) if _is_wanted(args, name))))
    path = host.path(args.dest)
    if host.entry(path, follow=True).kind is Kind.DIRECTORY:
        raise TaskFailedError(f"{path} is a directory; dest must name the file")
    result = put(host, args, path, content, args.mode)
    values: dict[str, Any] = {**result.values, "src": source, "msg": "OK"}
    return Result(result.changed, values)


def _on_host(args: Args, host: HostView, source: str) -> dict[str, bytes]:
    host.want(names=[f"{source}/*", f"{source}/.*"], entries=[source, args.dest])
    if host.entry(source).kind is not Kind.DIRECTORY:
        word = "is not a directory" if host.entry(source).exists else "does not exist"
        raise TaskFailedError(f"Source ({source}) {word}")
    names = {posixpath.basename(path) for path in (*host.names(f"{source}/*"), *host.names(f"{source}/.*"))}
    paths = [posixpath.join(source, name) for name in names if _is_wanted(args, name)]
    host.want(entries=paths, contents=paths)
    files = {path: host.resolve(path) for path in paths}
    found = {path: end for path, end in files.items() if host.entry(end).kind is Kind.FILE}
    host.want(contents=found.values())
    return {posixpath.basename(path): host.content(end) for path, end in found.items()}


def _is_wanted(args: Args, name: str) -> bool:
    if args.ignore_hidden and name.startswith("."):
        return False
    return args.regexp is None or re.search(args.regexp, name) is not None


def _joined(args: Args, parts: Iterable[bytes]) -> Iterable[bytes]:
    """The parts, with a line end after one that has none, and the delimiter between two."""
    between = _unescaped(args.delimiter or "")
    before: bytes | None = None
    for part in parts:
        if before is not None:
            yield b"" if before.endswith(b"\n") else b"\n"
            yield between if not between or between.endswith(b"\n") else between + b"\n"
        yield part
        before = part


def _unescaped(delimiter: str) -> bytes:
    """The delimiter's bytes, with what its backslashes mean. Raises ValueError when one means nothing."""
    made = codecs.escape_decode(delimiter.encode("utf-8", "surrogateescape"))[0]
    assert isinstance(made, bytes)  # noqa: S101 - of bytes it makes bytes
    return made


MODULE = Module("assemble", Args, plan, aliases=("ansible.builtin.assemble",), files={"src": "files"})
