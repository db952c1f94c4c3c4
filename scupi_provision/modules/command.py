"""`command`: a program with its arguments, without a shell between."""

from __future__ import annotations

import re

from pydantic import model_validator

from scupi_provision.host.record import TaskFailedError
from scupi_provision.host.view import HostView
from scupi_provision.modules.contract import Boolean, Field, Module, Result, Text
from scupi_provision.modules.programs import ProgramArgs, finish, run
from scupi_provision.modules.words import split_words

_VARIABLE = re.compile(r"\$(?:(\w+)|\{(\w+)\})")


class Args(ProgramArgs):
    """Run a program. No shell: `|`, `>`, `*`, `&&` are handed to it as they are."""

    cmd: Text | None = Field(None, description="Program and arguments, split as a POSIX shell splits words.")
    argv: list[Text] | None = Field(None, description="Program and arguments as a list.")
    expand_argument_vars: Boolean = Field(default=True, description="Expand ~, $HOME, $USER, $PATH in the arguments.")

    @model_validator(mode="after")
    def _one_form(self) -> Args:
        if (self.cmd is None) == (self.argv is None):
            raise ValueError("give the command as text, or as argv, not both" if self.cmd else "no command is given")
        if self.argv is not None and not self.argv:
            raise ValueError("argv is empty")
        return self


def plan(args: Args, host: HostView) -> Result:
    """Plan the run."""
    argv = list(args.argv) if args.argv is not None else split_words(args.cmd or "", "cmd")
    if not argv:
        raise TaskFailedError("no command is given")
    if args.expand_argument_vars:
        argv = [_expanded(host, argument) for argument in argv]
    return run(args, host, tuple(argv), argv)


def _expanded(host: HostView, argument: str) -> str:
    """`~` and variables as Ansible expands them; a variable that the account has not stays as written."""
    if "$" not in argument and not argument.startswith("~"):
        return argument
    raw = host.facts.raw
    known = {"HOME": host.home, "USER": raw.get("user"), "LOGNAME": raw.get("user"), "PATH": raw.get("path")}

    def value(match: re.Match[str]) -> str:
        return known.get(match[1] or match[2]) or match[0]

    expanded = _VARIABLE.sub(value, argument)
    return host.path(expanded) if expanded == "~" or expanded.startswith("~/") else expanded


MODULE = Module("command", Args, plan, finish, free_form="cmd", aliases=("ansible.builtin.command",))
