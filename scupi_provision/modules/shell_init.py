"""`shell_init`: a few lines of shell that every new shell of the account reads."""

from __future__ import annotations

import re
from typing import Literal

from pydantic import field_validator, model_validator

from scupi_provision.host import generation
from scupi_provision.host.view import HostView
from scupi_provision.modules.contract import Field, Module, ModuleArgs, Result, Text


class Args(ModuleArgs):
    """Give every new shell of the account these lines, or take them away. `~/.bashrc` is not touched.

    All that one apply sets appears together, by one rename at the end of the play. Before that, the shell of the host
    must be able to parse it (`sh -n`).
    """

    name: Text = Field(description="What they are called: other lines of the same name replace them.")
    script: Text = Field(
        "", description="POSIX shell text: silent, quick, and harmless when read twice, because every login reads it."
    )
    state: Literal["present", "absent"] = Field("present", description="Whether new shells shall read it.")

    @field_validator("name")
    @classmethod
    def _one_line(cls, value: str) -> str:
        if not re.fullmatch(r"[^\x00-\x1f\x7f]+", value):
            raise ValueError("a name is one line of text")
        return value

    @model_validator(mode="after")
    def _something(self) -> Args:
        if self.state == "present" and not self.script.strip():
            raise ValueError("script is missing: what shall new shells read?")
        return self


def plan(args: Args, host: HostView) -> Result:
    """Plan the next generation of the environment."""
    now = generation.staged(host)
    wanted = now.with_script(args.name, args.script) if args.state == "present" else now.without_script(args.name)
    changed = generation.stage(host, wanted)
    return Result(changed, {"name": args.name, "scripts": list(wanted.scripts)})


MODULE = Module("shell_init", Args, plan, aliases=("scupi.provision.shell_init",))
