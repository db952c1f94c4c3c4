"""`expect` with `responses`, Ansible's: a program that asks, and what it is answered."""

from __future__ import annotations

import base64
from typing import Any

from pydantic import field_validator

from scupi_provision.host.view import HostView
from scupi_provision.modules.contract import (
    Boolean,
    Field,
    Integer,
    Module,
    ModuleArgs,
    PathText,
    Result,
    Text,
    UnknownValue,
)
from scupi_provision.modules.host_patterns import extended
from scupi_provision.modules.programs import not_run, reason_not_to_run, when
from scupi_provision.shell.actions import Run
from scupi_provision.shell.replies import RunReply
from scupi_provision.shell.scripts import script

_KEYS = ("rc", "stdout", "stdout_lines", "start", "end", "delta")
_SILENT, _UNANSWERED = 124, 123


class Args(ModuleArgs):
    """Run a program and answer what it asks. Answers travel on standard input, never on a command line."""

    command: Text = Field(description="The program and its arguments.")
    responses: dict[Text, Any] = Field(
        description="Answers by question, a pattern. One text answers every time, a list one time after another.",
        repr=False,
    )
    timeout: Integer | None = Field(30, description="Seconds of silence after which it is given up; null for never.")
    echo: Boolean = Field(default=False, description="Whether answers are shown in what it says.")
    chdir: PathText | None = Field(None, description="Where it runs; the home when not given.")
    creates: Text | None = Field(None, description="A path or glob: when it exists, nothing is run.")
    removes: Text | None = Field(None, description="A path or glob: when it does not exist, nothing is run.")

    @field_validator("responses")
    @classmethod
    def _searchable(cls, responses: dict[str, Any]) -> dict[str, Any]:
        if not responses:
            raise ValueError("no answer is given")
        for question in responses:
            extended(question)
        return responses


def plan(args: Args, host: HostView) -> Result:
    """Plan the run, unless `creates` or `removes` says that it is not needed."""
    reason = reason_not_to_run(host, args.creates, args.removes, args.chdir)
    if reason:
        return Result(values={"cmd": args.command, **not_run(reason)}, message=f"not run, since {reason}")
    words = script(
        "respond.sh",
        command=args.command,
        where=host.path(args.chdir) if args.chdir else "",
        limit="" if args.timeout is None else str(args.timeout),
        echo="yes" if args.echo else "",
    )
    host.run(Run(words, stdin=_told(args.responses)), f"run {args.command}, and answer")
    values = dict.fromkeys(_KEYS, UnknownValue(f"what `{args.command}` says"))
    unprovable = not args.creates and not args.removes
    return Result(changed=True, values={"cmd": args.command, **values}, unprovable=unprovable)


def _told(responses: dict[str, Any]) -> bytes:
    lines = []
    for question, answers in responses.items():
        pattern, any_case = extended(question)
        several = isinstance(answers, list | tuple)
        texts = [_encoded(str(answer)) for answer in (answers if several else [answers])]
        lines.append(" ".join([("-" if several else "*") + "i" * any_case, _encoded(pattern), *texts]))
    return "".join(f"{line}\n" for line in lines).encode("ascii")


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode("utf-8", "surrogateescape")).decode("ascii") or "."


def finish(_args: Args, planned: Result, runs: tuple[RunReply, ...]) -> Result:
    """What it said, questions included."""
    if not runs:
        return planned
    reply = runs[-1]
    stdout = reply.stdout.decode("utf-8", "replace").replace("\r\n", "\n").rstrip("\r\n")
    values = {**planned.values, "stdout": stdout, "stdout_lines": stdout.splitlines(), **when(reply.times)}
    values["rc"] = None if reply.status == _SILENT else reply.status
    message = ""
    if reply.status == _SILENT:
        message = "command exceeded timeout"
    elif reply.status == _UNANSWERED:
        message = reply.stderr.decode("utf-8", "replace").strip().splitlines()[-1:][0] if reply.stderr else ""
    elif reply.status != 0:
        message = "non-zero return code"
    if message:
        values["msg"] = message
    failed = reply.status != 0
    return Result(changed=True, values=values, message=message, failed=failed, unprovable=planned.unprovable)


MODULE = Module("expect_responses", Args, plan, finish, aliases=("ansible.builtin.expect",))
