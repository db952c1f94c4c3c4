"""`debug`: say something."""

from __future__ import annotations

import json
from typing import Any

from pydantic import model_validator

from scupi_provision.host.view import HostView
from scupi_provision.modules.contract import Expression, Field, Integer, Module, ModuleArgs, Result
from scupi_provision.values import plain_value


class Args(ModuleArgs):
    """Show a message, or what a variable is."""

    msg: Any = Field(None, description="What is shown: text, or any value.")
    var: Expression | None = Field(None, description="A variable or an expression, without braces, to be shown.")
    verbosity: Integer = Field(0, description="Shown only with at least so many `-v`.")

    @model_validator(mode="after")
    def _one_form(self) -> Args:
        if self.msg is not None and self.var is not None:
            raise ValueError("give msg or var, not both")
        return self


def plan(args: Args, host: HostView) -> Result:
    """Nothing but a message, and not even that when it asks for more `-v` than were given."""
    if args.verbosity > host.verbosity:
        return Result(skipped=True, message="Verbosity threshold not met.")
    if args.var is not None:
        return Result(values={args.var.text: args.var.value}, message=f"{args.var.text}: {_shown(args.var.value)}")
    message = "Hello world!" if args.msg is None else args.msg
    return Result(values={"msg": message}, message=_shown(message))


def _shown(value: Any) -> str:
    return (
        value if isinstance(value, str) else json.dumps(plain_value(value), ensure_ascii=False, indent=2, default=str)
    )


MODULE = Module("debug", Args, plan, aliases=("ansible.builtin.debug",), expressions=("var",))
