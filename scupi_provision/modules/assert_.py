"""`assert`: conditions that must hold."""

from __future__ import annotations

from scupi_provision.errors import InternalError
from scupi_provision.host.view import HostView
from scupi_provision.modules.contract import AliasChoices, Boolean, Conditions, Field, Module, ModuleArgs, Result, Text


class Args(ModuleArgs):
    """Fail unless every condition holds."""

    that: Conditions = Field(description="A condition as in `when`, or a list of them.")
    fail_msg: Text | None = Field(
        None, description="What is said when one does not hold.", validation_alias=AliasChoices("fail_msg", "msg")
    )
    success_msg: Text | None = Field(None, description="What is said when all hold.")
    quiet: Boolean = Field(default=False, description="Say nothing when all hold.")


def plan(args: Args, _host: HostView) -> Result:
    """Judge what the planner has evaluated; the first condition that does not hold is named."""
    for condition in args.that:
        if condition.holds is None:
            raise InternalError(f"the condition {condition.text!r} was not judged before the module planned")
        if not condition.holds:
            said = args.fail_msg or "Assertion failed"
            values = {"assertion": condition.text, "evaluated_to": False, "msg": said}
            return Result(values=values, message=f"{said}: {condition.text}", failed=True)
    said = args.success_msg or "All assertions passed"
    return Result(values={"msg": said}, message="" if args.quiet else said)


MODULE = Module("assert", Args, plan, aliases=("ansible.builtin.assert",), conditions=("that",))
