"""`script`: a script of the controller, run on the host."""

from __future__ import annotations

import posixpath
from typing import Any

from pydantic import model_validator

from scupi_provision.host.view import HostView
from scupi_provision.modules.contract import (
    Boolean,
    ControllerFile,
    Field,
    Lookup,
    Module,
    ModuleArgs,
    PathText,
    Result,
    Source,
    Text,
    UnknownValue,
)
from scupi_provision.modules.programs import not_run, reason_not_to_run, said
from scupi_provision.shell.actions import Run
from scupi_provision.shell.replies import RunReply
from scupi_provision.shell.scripts import script

_KEYS = ("rc", "stdout", "stderr", "stdout_lines", "stderr_lines")


class Args(ModuleArgs):
    """Copy a script to the host, run it there and remove it. Its first line says by what, or `executable` does."""

    cmd: Source = Field(description="The script on this computer and, after a blank, its arguments.")
    arguments: Text = Field("", description="Only set by splitting `cmd`: what follows the script's name.")
    chdir: PathText | None = Field(None, description="Where it runs; the home when not given.")
    creates: Text | None = Field(None, description="A path or glob: when it exists, nothing is run.")
    removes: Text | None = Field(None, description="A path or glob: when it does not exist, nothing is run.")
    executable: Text | None = Field(None, description="What runs the script, such as python3.")
    decrypt: Boolean = Field(default=True, description="Whether a script in a vault is opened on this computer.")

    @model_validator(mode="after")
    def _opened(self) -> Args:
        if not self.decrypt:
            raise ValueError("decrypt: false would run a vault as a script; leave it out")
        return self


def split(values: dict[str, Any], _lookup: Lookup) -> dict[str, Any]:
    """The script's name, and the words after it."""
    text = values.get("cmd")
    if not isinstance(text, str):
        return values
    name, rest = _first_word(text.strip())
    return {**values, "cmd": name, "arguments": rest}


def _first_word(text: str) -> tuple[str, str]:
    if text[:1] in {"'", '"'}:
        end = text.find(text[0], 1)
        if end > 0:
            return text[1:end], text[end + 1 :].strip()
    name, _, rest = text.partition(" ")
    return name, rest.strip()


def plan(args: Args, host: HostView) -> Result:
    """Plan the run, unless `creates` or `removes` says that it is not needed."""
    reason = reason_not_to_run(host, args.creates, args.removes, args.chdir)
    if reason:
        told = not_run(reason)
        return Result(skipped=True, message=told["msg"], values={"msg": told["msg"]})
    if not isinstance(args.cmd, ControllerFile):
        return Result(failed=True, message=f"{args.cmd} is a folder; name a file")
    name = posixpath.basename(args.cmd.path.replace("\\", "/"))
    settings = {"name": name, "arguments": args.arguments, "interpreter": args.executable or ""}
    where = host.path(args.chdir) if args.chdir else ""
    action = Run(script("script_file.sh", **settings, where=where), stdin=args.cmd.content, phase=name)
    host.run(action, f"run the script {args.cmd.path}")
    values = dict.fromkeys(_KEYS, UnknownValue(f"what {name} says"))
    return Result(changed=True, values=values, unprovable=not args.creates and not args.removes)


def finish(_args: Args, planned: Result, runs: tuple[RunReply, ...]) -> Result:
    """What it said, ends of lines included."""
    if not runs:
        return planned
    values = said(runs[-1], strip=False)
    failed = values["rc"] != 0
    if failed:
        values["msg"] = "non-zero return code"
    message = f"it ended with status {values['rc']}" if failed else ""
    return Result(changed=True, values=values, message=message, failed=failed, unprovable=planned.unprovable)


MODULE = Module(
    "script",
    Args,
    plan,
    finish,
    free_form="cmd",
    aliases=("ansible.builtin.script",),
    files={"cmd": "files"},
    prepare=split,
)
