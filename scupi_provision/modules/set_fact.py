"""`set_fact`: variables for the rest of the play."""

from __future__ import annotations

import re

from pydantic import ConfigDict, model_validator

from scupi_provision.host.view import HostView
from scupi_provision.modules.contract import Boolean, Field, Module, ModuleArgs, Result

CACHEABLE = "cacheable"
"""No variable can be called so; among the facts of a task it says that they are facts of the host, too."""
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class Args(ModuleArgs):
    """Set variables: every other argument is the name of one."""

    model_config = ConfigDict(extra="allow")

    cacheable: Boolean = Field(
        default=False, description="Make them `ansible_facts`, too; as without a fact cache, nothing outlives the run."
    )

    @model_validator(mode="after")
    def _named(self) -> Args:
        names = self.model_extra or {}
        if not names:
            raise ValueError("no variable is given")
        for name in names:
            if not _NAME.fullmatch(name):
                raise ValueError(f'"{name}" cannot be the name of a variable; use letters, digits and _')
        return self


def plan(args: Args, _host: HostView) -> Result:
    """The variables as facts of this host."""
    facts = dict(args.model_extra or {})
    return Result(values={"ansible_facts": facts}, facts=facts | ({CACHEABLE: True} if args.cacheable else {}))


MODULE = Module("set_fact", Args, plan, aliases=("ansible.builtin.set_fact",))
