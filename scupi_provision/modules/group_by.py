"""`group_by`: put the host into a group that is named by what is known of it."""

from __future__ import annotations

from scupi_provision.host.view import HostView
from scupi_provision.modules.contract import Field, Membership, Module, ModuleArgs, Result, Text, Words
from scupi_provision.modules.grouping import group_name


class Args(ModuleArgs):
    """Make groups of hosts by facts or variables, for this play and those after it."""

    key: Text = Field(description="The group; a template that differs from host to host.")
    parents: Words = Field(default=["all"], description="Groups above it, `all` when nothing is said.")


def plan(args: Args, _host: HostView) -> Result:
    """The group and its parents, made where they are new."""
    group, parents = group_name(args.key), tuple(group_name(parent) for parent in args.parents)
    joins = Membership((group,), parents=parents)
    return Result(values={"add_group": group, "parent_groups": list(parents)}, joins=joins, unprovable=True)


MODULE = Module("group_by", Args, plan, aliases=("ansible.builtin.group_by",))
