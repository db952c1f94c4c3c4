"""`set_stats`: figures that a playbook keeps of its run."""

from __future__ import annotations

from typing import Any

from pydantic import field_validator

from scupi_provision.host.view import HostView
from scupi_provision.modules.contract import Boolean, Field, Module, ModuleArgs, Result


class Args(ModuleArgs):
    """Keep figures. They are registered and in the stream of events, as Ansible has them for its callbacks."""

    data: dict[str, Any] = Field(description="Figures by name.")
    per_host: Boolean = Field(default=False, description="Whether they are of the host, not of the run.")
    aggregate: Boolean = Field(default=True, description="Whether they are added to what is kept, or replace it.")

    @field_validator("data")
    @classmethod
    def _names(cls, data: dict[str, Any]) -> dict[str, Any]:
        for name in data:
            if not str(name).isidentifier():
                raise ValueError(f'"{name}" cannot be a name; use letters, digits and _')
        return data


def plan(args: Args, _host: HostView) -> Result:
    """Nothing on the host."""
    return Result(values={"ansible_stats": {"data": args.data, "per_host": args.per_host, "aggregate": args.aggregate}})


MODULE = Module("set_stats", Args, plan, aliases=("ansible.builtin.set_stats",))
