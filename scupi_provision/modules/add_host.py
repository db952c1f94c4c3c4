"""`add_host`: one more host, for this play and those after it."""

from __future__ import annotations

from typing import Any

from pydantic import ConfigDict

from scupi_provision.host.view import HostView
from scupi_provision.modules.contract import AliasChoices, Field, Membership, Module, ModuleArgs, Result, Text, Words
from scupi_provision.modules.grouping import host_and_port


class Args(ModuleArgs):
    """Add a host to the inventory of this run, or put one into more groups; other arguments are its variables."""

    model_config = ConfigDict(extra="allow")

    name: Text = Field(
        validation_alias=AliasChoices("name", "hostname", "host"),
        description="The host, with a port after a colon where it is another than 22.",
    )
    groups: Words = Field(
        default=[],
        validation_alias=AliasChoices("groups", "groupname", "group"),
        description="Groups that the host is in from here on; they are made where they are new.",
    )


def plan(args: Args, _host: HostView) -> Result:
    """The host with its groups and variables."""
    name, port = host_and_port(args.name)
    variables: dict[str, Any] = dict(args.model_extra or {})
    if port is not None:
        variables["ansible_port"] = port
    groups = tuple(dict.fromkeys(args.groups))
    told = {"host_name": name, "groups": list(groups), "host_vars": variables}
    return Result(values={"add_host": told}, joins=Membership(groups, name, variables), unprovable=True)


MODULE = Module("add_host", Args, plan, aliases=("ansible.builtin.add_host",), once=True)
