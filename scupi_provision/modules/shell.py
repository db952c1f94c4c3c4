"""`shell`: a text that a shell runs."""

from __future__ import annotations

from scupi_provision.host.view import HostView
from scupi_provision.modules.contract import Field, Module, PathText, Result, Text
from scupi_provision.modules.programs import ProgramArgs, finish, run


class Args(ProgramArgs):
    """Run a text with a shell: pipes, redirections and variables mean what they mean there."""

    cmd: Text = Field(description="The text.")
    executable: PathText = Field("/bin/sh", description="The shell: an absolute path, such as /bin/bash.")


def plan(args: Args, host: HostView) -> Result:
    """Plan the run."""
    return run(args, host, (host.path(args.executable), "-c", args.cmd), args.cmd)


MODULE = Module("shell", Args, plan, finish, free_form="cmd", aliases=("ansible.builtin.shell",))
