"""`wait_for_connection`: the host can be reached; a plan is only made where it is."""

from __future__ import annotations

from scupi_provision.host.view import HostView
from scupi_provision.modules.contract import Field, Integer, Module, ModuleArgs, Result
from scupi_provision.shell.actions import Run
from scupi_provision.shell.replies import RunReply


class Args(ModuleArgs):
    """Make sure that the host answers. The connection that stands is the proof; one that is lost ends the run."""

    connect_timeout: Integer = Field(5, description="As in Ansible; the connection stands already.")
    delay: Integer = Field(0, description="Seconds before the look.")
    sleep: Integer = Field(1, description="As in Ansible; one look is enough.")
    timeout: Integer = Field(600, description="As in Ansible; the connection stands already.")


def plan(args: Args, host: HostView) -> Result:
    """Nothing to change; a program is run only after a delay."""
    if args.delay > 0:
        host.run(Run(("/bin/sh", "-c", f"sleep {int(args.delay)}"), writes=()), f"wait {int(args.delay)} s")
    return Result(values={"elapsed": int(args.delay)})


def finish(_args: Args, planned: Result, _runs: tuple[RunReply, ...]) -> Result:
    """It has answered."""
    return planned


MODULE = Module("wait_for_connection", Args, plan, finish, aliases=("ansible.builtin.wait_for_connection",))
