"""`template`: a Jinja2 file of the controller, rendered there, as a file on the host."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, field_validator

from scupi_provision.host.record import TaskFailedError
from scupi_provision.host.view import HostView
from scupi_provision.modules.attributes import FileArgs
from scupi_provision.modules.contract import Boolean, ControllerFile, Field, Mode, Module, Result, Source, Text
from scupi_provision.modules.writing import WriteArgs, destination, put

_RENDERING = (
    "trim_blocks", "lstrip_blocks", "block_start_string", "block_end_string", "variable_start_string",
    "variable_end_string", "comment_start_string", "comment_end_string",
)  # fmt: skip
_ENDS = {"\\n": "\n", "\\r": "\r", "\\r\\n": "\r\n"}


class Args(WriteArgs, FileArgs):
    """Render a template and put what it gives on the host."""

    src: Source = Field(description="The template, looked up in the role's `templates/` first.")
    newline_sequence: Annotated[Literal["\n", "\r", "\r\n"], BeforeValidator(lambda value: _ENDS.get(value, value))] = (
        Field("\n", description="What ends a line of the file that is made.")
    )
    trim_blocks: Boolean = Field(default=True, description="Leave out the line end after a block.")
    lstrip_blocks: Boolean = Field(default=False, description="Leave out what stands before a block in its line.")
    block_start_string: Text = Field("{%", description="How a block begins.")
    block_end_string: Text = Field("%}", description="How a block ends.")
    variable_start_string: Text = Field("{{", description="How an expression begins.")
    variable_end_string: Text = Field("}}", description="How an expression ends.")
    comment_start_string: Text = Field("{#", description="How a comment begins.")
    comment_end_string: Text = Field("#}", description="How a comment ends.")
    output_encoding: Text = Field("utf-8", description="How the file that is made is encoded.")
    mode: Literal["preserve"] | Mode | None = Field(  # type: ignore[assignment]  # wider than that of other files
        None, description='Permissions: "0644", u=rw,g=r, or `preserve` for those of the template.'
    )

    @field_validator("output_encoding")
    @classmethod
    def _known(cls, value: str) -> str:
        try:
            "".encode(value)
        except LookupError:
            raise ValueError(f"{value} is no encoding that Python knows") from None
        return value


def plan(args: Args, host: HostView) -> Result:
    """Plan that the host has the rendered file; rendering was the planner's part."""
    if not isinstance(args.src, ControllerFile):
        raise TaskFailedError("src names a folder; a template is one file")
    content = args.src.content
    if args.newline_sequence != "\n":
        content = content.replace(b"\r\n", b"\n").replace(b"\n", args.newline_sequence.encode())
    if args.output_encoding.lower().replace("-", "") != "utf8":
        content = content.decode("utf-8", "surrogateescape").encode(args.output_encoding, "surrogateescape")
    mode = args.src.mode if isinstance(args.mode, str) else args.mode
    return put(host, args, destination(host, args.dest, args.src.path), content, mode, secret=args.src.secret)


MODULE = Module(
    "template", Args, plan, aliases=("ansible.builtin.template",), files={"src": "templates"}, rendering=_RENDERING
)
