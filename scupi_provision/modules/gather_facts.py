"""`gather_facts`: facts of the host, by whatever gathers them: `setup`."""

from __future__ import annotations

from scupi_provision.host.view import HostView
from scupi_provision.modules import gathering
from scupi_provision.modules.contract import Boolean, Field, Module, Result


class Args(gathering.Args):
    """Gather facts, as a play does that says `gather_facts: true`."""

    parallel: Boolean = Field(default=True, description="As in Ansible; there is one look only.")


def plan(args: Args, host: HostView) -> Result:
    """The facts as variables."""
    return gathering.plan(args, host)


MODULE = Module("gather_facts", Args, plan, aliases=("ansible.builtin.gather_facts",))
