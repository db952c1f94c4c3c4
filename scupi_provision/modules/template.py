"""`template`: a Jinja2 file of the controller, rendered there, as a file on the host."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, field_validator

from scupi_provision.host.record import TaskFailedError
from scupi_provision.host.view import HostView
from scupi_provision.modules.attributes import FileArgs
from scupi_provision.modules.contract import Boolean, ControllerFile, Field, Module, Result, Source, Text
from scupi_provision.modules.writing import WriteArgs, destination, put

_ENDS = {"\\n": "\n", "\\r": "\r", "\\r\\n": "\r\n"}
_HEADER = "write it in the template's first line instead: `#jinja2: {}`"


class Args(WriteArgs, FileArgs):
    """Render a template and put what it gives on the host."""

    src: Source = Field(description="The template, looked up in the role's `templates/` first.")
    newline_sequence: Annotated[Literal["\n", "\r", "\r\n"], BeforeValidator(lambda value: _ENDS.get(value, value))] = (
        Field("\n", description="What ends a line of the file that is made.")
    )
    trim_blocks: Boolean = Field(default=True, description="Only the default; the template's first line can change it.")
    lstrip_blocks: Boolean = Field(
        default=False, description="Only the default; the template's first line can change it."
    )
    output_encoding: Text = Field("utf-8", description="Only utf-8.")

    @field_validator("trim_blocks")
    @classmethod
    def _trims(cls, value: Any) -> Any:
        if value is not True:
            raise ValueError(_HEADER.format("trim_blocks: False"))
        return value

    @field_validator("lstrip_blocks")
    @classmethod
    def _keeps_indents(cls, value: Any) -> Any:
        if value is not False:
            raise ValueError(_HEADER.format("lstrip_blocks: True"))
        return value

    @field_validator("output_encoding")
    @classmethod
    def _utf8(cls, value: str) -> str:
        if value.lower().replace("-", "") != "utf8":
            raise ValueError("files are written in utf-8 only")
        return value


def plan(args: Args, host: HostView) -> Result:
    """Plan that the host has the rendered file; rendering was the planner's part."""
    if not isinstance(args.src, ControllerFile):
        raise TaskFailedError("src names a folder; a template is one file")
    content = args.src.content
    if args.newline_sequence != "\n":
        content = content.replace(b"\r\n", b"\n").replace(b"\n", args.newline_sequence.encode())
    return put(host, args, destination(host, args.dest, args.src.path), content, args.mode)


MODULE = Module("template", Args, plan, aliases=("ansible.builtin.template",), files={"src": "templates"})
