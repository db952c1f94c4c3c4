"""`replace`: every place of a text file that a regular expression matches. Python's expressions, as in Ansible."""

from __future__ import annotations

import re

from pydantic import field_validator, model_validator

from scupi_provision.host.record import TaskFailedError
from scupi_provision.host.view import HostView
from scupi_provision.modules.attributes import FileArgs, backup_path, require_own
from scupi_provision.modules.contract import AliasChoices, Boolean, Field, Module, PathText, Result, Text
from scupi_provision.modules.writing import validation
from scupi_provision.shell.entry import Kind


class Args(FileArgs):
    """Replace all that a regular expression matches in a file."""

    path: PathText = Field(
        description="The file; a link is followed.", validation_alias=AliasChoices("path", "dest", "destfile", "name")
    )
    regexp: Text = Field(description="What is replaced; `^` and `$` match at lines.")
    replace: Text = Field("", description="What comes in its place; `\\\\1` and `\\\\g<name>` are groups of regexp.")
    after: Text | None = Field(None, description="Only what follows the first match of this is looked at.")
    before: Text | None = Field(None, description="Only what precedes the match of this is looked at.")
    backup: Boolean = Field(default=False, description="Keep a copy of the file before a change beside it.")
    encoding: Text = Field("utf-8", description="How the file's text is encoded.")
    validate_: Text | None = Field(
        None,
        alias="validate",
        description="A command that must accept the new file before it takes its name; `%s` stands for its path.",
    )

    @field_validator("encoding")
    @classmethod
    def _known(cls, encoding: str) -> str:
        try:
            "".encode(encoding)
        except LookupError:
            raise ValueError(f"{encoding} is no encoding that Python knows") from None
        return encoding

    @model_validator(mode="after")
    def _expressions(self) -> Args:
        _require_expression(self.regexp, "regexp")
        _require_expression(_section(self), "after or before")
        return self


def _require_expression(text: str, name: str) -> None:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"{name} is not a regular expression: {error}") from None


def plan(args: Args, host: HostView) -> Result:
    """Plan the file with everything replaced."""
    require_own(args, host)
    host.want(entries=[args.path], contents=[args.path])
    path = host.resolve(args.path)
    entry = host.entry(path)
    if entry.kind is not Kind.FILE:
        raise TaskFailedError(f"Path {path} does not exist!" if not entry.exists else f"Path {path} is no file!")
    try:
        text = host.content(path).decode(args.encoding)
    except UnicodeDecodeError as error:
        raise TaskFailedError(f"{path} is not {args.encoding}: {error.reason} at byte {error.start}") from None
    start, end = 0, len(text)
    if args.after is not None or args.before is not None:
        found = re.search(_section(args), text, re.DOTALL)
        if found is None:
            message = f"Pattern for before/after params did not match the given file: {_section(args)}"
            return Result(values={"msg": message, "path": path})
        start, end = found.span("subsection")
    made, count = _replaced(args, text[start:end])
    count = count if made != text[start:end] else 0
    message = f"{count} replacements made" if count else ""
    content = _encoded(text[:start] + made + text[end:], args.encoding)
    backup = backup_path(host, path) if args.backup and count else None
    changed = host.write(path, content, args.mode, backup=backup, validate=validation(args.validate_))
    values = {"msg": message, "path": path}
    return Result(changed, {**values, "backup_file": backup} if backup else values)


def _section(args: Args) -> str:
    """The expression whose group `subsection` is what is looked at."""
    if args.after is not None and args.before is not None:
        return f"{args.after}(?P<subsection>.*?){args.before}"
    return f"{args.after or ''}(?P<subsection>.*){args.before or ''}"


def _replaced(args: Args, text: str) -> tuple[str, int]:
    try:
        return re.subn(args.regexp, args.replace, text, flags=re.MULTILINE)
    except (re.error, IndexError) as error:
        raise TaskFailedError(f"replace: {error}") from None


def _encoded(text: str, encoding: str) -> bytes:
    try:
        return text.encode(encoding)
    except UnicodeEncodeError as error:
        letter = text[error.start]
        raise TaskFailedError(f"replace: {letter!r} cannot be written as {encoding}") from None


MODULE = Module("replace", Args, plan, aliases=("ansible.builtin.replace",))
