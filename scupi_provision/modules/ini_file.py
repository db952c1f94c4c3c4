"""`ini_file`: options in the sections of an INI file (`community.general`)."""

from __future__ import annotations

import posixpath
from typing import Any, Literal

from pydantic import Field as PlainField
from pydantic import model_validator

from scupi_provision.host.record import TaskFailedError
from scupi_provision.host.view import HostView
from scupi_provision.modules.attributes import FileArgs, attributes, backup_path, require_own
from scupi_provision.modules.contract import AliasChoices, Boolean, Field, Module, ModuleArgs, PathText, Result, Text
from scupi_provision.modules.ini_change import Change
from scupi_provision.modules.ini_lines import Document, section_bounds
from scupi_provision.shell.entry import Kind

_MARK = b"\xef\xbb\xbf"


class Condition(ModuleArgs):
    """An option that the section must have."""

    option: Text = PlainField(description="Its name.")
    value: Text | None = PlainField(None, description="What it must be.")
    values: list[Text] | None = PlainField(None, description="What it may be; anything when neither is given.")

    @property
    def wanted(self) -> list[str]:
        """The values that count; any when empty."""
        return [self.value] if self.value is not None else list(self.values or [])


class Args(FileArgs):
    """Keep an option of a section, with its values, in an INI file; or that it is not there."""

    path: PathText = Field(description="The file.", validation_alias=AliasChoices("path", "dest"))
    section: Text | None = Field(None, description="The section; none means what stands before the first one.")
    section_has_values: list[Condition] | None = Field(
        None, description="Among several sections of that name, the one in which these options are so."
    )
    option: Text | None = Field(None, description="The option; without it the section itself is meant.")
    value: Text | None = Field(None, description="What the option is.")
    values: list[Text] | None = Field(None, description="What the option is, where it may stand several times.")
    state: Literal["present", "absent"] = Field("present", description="Whether it shall be there.")
    exclusive: Boolean = Field(
        default=True, description="With present, other values of the option go; with absent, all of its values do."
    )
    no_extra_spaces: Boolean = Field(default=False, description="Write `a=b` and not `a = b`.")
    ignore_spaces: Boolean = Field(default=False, description="Leave a line that differs in its spaces only.")
    create: Boolean = Field(default=True, description="Make the file, and directories above it, when absent.")
    allow_no_value: Boolean = Field(default=False, description="An option without a value, and without `=`, is meant.")
    modify_inactive_option: Boolean = Field(
        default=True, description="A line of the option that is commented out is taken for it."
    )
    backup: Boolean = Field(default=False, description="Keep a copy of the file before a change beside it.")
    follow: Boolean = Field(default=False, description="Change what a link at `path` points to, not the link.")

    @model_validator(mode="after")
    def _fitting(self) -> Args:
        if self.value is not None and self.values is not None:
            raise ValueError("value and values cannot be used together")
        if self.state == "present" and self.value is None and not self.values and not self.allow_no_value:
            raise ValueError("value (or values) is needed with state: present, unless allow_no_value")
        return self


def plan(args: Args, host: HostView) -> Result:
    """Plan the file with the option as it shall be."""
    require_own(args, host)
    host.want(entries=[args.path, posixpath.dirname(host.path(args.path))], contents=[args.path])
    path = host.resolve(args.path) if args.follow else host.path(args.path)
    text = _text(args, host, path)
    document = Document.read(text)
    message = _edit(args, document)
    values: dict[str, Any] = {"path": path, "msg": message}
    if document.changed:
        if not host.entry(path).exists:
            host.mkdir(posixpath.dirname(path))
        backup = backup_path(host, path) if args.backup else None
        if backup:
            values["backup_file"] = backup
        host.write(path, document.text().encode("utf-8", "surrogateescape"), args.mode, backup=backup)
    elif args.mode is not None and host.set_mode(path, args.mode):
        return Result(changed=True, values={**attributes(host, path), **values})
    return Result(document.changed, {**attributes(host, path), **values})


def _text(args: Args, host: HostView, path: str) -> str:
    real = host.resolve(path)
    entry = host.entry(real)
    if not entry.exists:
        if not args.create:
            raise TaskFailedError(f"Destination {path} does not exist!")
        return ""
    if entry.kind is not Kind.FILE:
        raise TaskFailedError(f"{path} is not a regular file")
    return host.content(real).removeprefix(_MARK).decode("utf-8", "surrogateescape")


def _edit(args: Args, document: Document) -> str:
    conditions = [(one.option, one.wanted) for one in args.section_has_values or []]
    bounds = section_bounds(document.lines, args.section, conditions)
    given = [args.value] if args.value is not None else args.values or []
    change = Change(
        option=args.option,
        values=list(dict.fromkeys(given)),
        spaced="" if args.no_extra_spaces else " ",
        exclusive=args.exclusive,
        ignore_spaces=args.ignore_spaces,
        allow_no_value=args.allow_no_value,
        inactive=args.modify_inactive_option,
    )
    if args.state == "absent":
        return document.remove(change, bounds)
    if bounds is None:
        return document.append_section(change, args.section or "", conditions)
    return document.put(change, bounds)


MODULE = Module("ini_file", Args, plan, aliases=("community.general.ini_file",))
