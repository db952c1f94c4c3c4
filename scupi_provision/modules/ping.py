"""`ping`: the host answers."""

from __future__ import annotations

from scupi_provision.host.view import HostView
from scupi_provision.modules.contract import Field, Module, ModuleArgs, Result, Text


class Args(ModuleArgs):
    """Succeed when the host can be reached and read."""

    data: Text = Field("pong", description="What is registered as `ping`; `crash` makes the task fail.")


def plan(args: Args, host: HostView) -> Result:
    """Read the facts: a host that cannot tell them is not there. `crash` fails on purpose, as Ansible documents it."""
    host.want(entries=[host.home])
    if args.data == "crash":
        return Result(values={"msg": "boom"}, message="boom", failed=True)
    return Result(values={"ping": args.data})


MODULE = Module("ping", Args, plan, aliases=("ansible.builtin.ping",))
