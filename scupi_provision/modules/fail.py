"""`fail`: stop with a message."""

from __future__ import annotations

from scupi_provision.host.view import HostView
from scupi_provision.modules.contract import Field, Module, ModuleArgs, Result, Text


class Args(ModuleArgs):
    """Fail, with a message; used with `when`."""

    msg: Text = Field("Failed as requested from task", description="Why.")


def plan(args: Args, _host: HostView) -> Result:
    """Always a failure."""
    return Result(values={"msg": args.msg}, message=args.msg, failed=True)


MODULE = Module("fail", Args, plan, aliases=("ansible.builtin.fail",))
