"""`raw`: a text for the account's shell, with nothing around it."""

from __future__ import annotations

from scupi_provision.host.view import HostView
from scupi_provision.modules.contract import Field, Module, ModuleArgs, PathText, Result, Text, UnknownValue
from scupi_provision.modules.programs import said
from scupi_provision.shell.actions import Run
from scupi_provision.shell.replies import RunReply

_KEYS = ("rc", "stdout", "stderr", "stdout_lines", "stderr_lines")


class Args(ModuleArgs):
    """Run a text with a shell. Every run of it is a change; `shell` knows `creates` and `removes`."""

    cmd: Text = Field(description="The text; it has no name in a playbook but stands after `raw:`.")
    executable: PathText = Field("/bin/sh", description="The shell: an absolute path, such as /bin/bash.")


def plan(args: Args, host: HostView) -> Result:
    """Plan the run."""
    host.run(Run((host.path(args.executable), "-c", args.cmd)), f"run {args.cmd}")
    return Result(changed=True, values=dict.fromkeys(_KEYS, UnknownValue(f"what `{args.cmd}` says")), unprovable=True)


def finish(_args: Args, planned: Result, runs: tuple[RunReply, ...]) -> Result:
    """What it said, ends of lines included."""
    if not runs:
        return planned
    values = said(runs[-1], strip=False)
    failed = values["rc"] != 0
    if failed:
        values["msg"] = "non-zero return code"
    message = f"it ended with status {values['rc']}" if failed else ""
    return Result(changed=True, values=values, message=message, failed=failed, unprovable=True)


MODULE = Module("raw", Args, plan, finish, free_form="cmd", aliases=("ansible.builtin.raw",))
