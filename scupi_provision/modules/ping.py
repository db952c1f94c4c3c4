"""`ping`: the host answers."""

from __future__ import annotations

from scupi_provision.host.view import HostView
from scupi_provision.modules.contract import Field, Module, ModuleArgs, Result, Text


class Args(ModuleArgs):
    """Succeed when the host can be reached and read."""

    data: Text = Field("pong", description="What is registered as `ping`.")


def plan(args: Args, host: HostView) -> Result:
    """Read the facts: a host that cannot tell them is not there."""
    host.want(entries=[host.home])
    return Result(values={"ping": args.data})


MODULE = Module("ping", Args, plan, aliases=("ansible.builtin.ping",))
