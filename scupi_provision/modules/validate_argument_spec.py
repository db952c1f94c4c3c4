"""`validate_argument_spec`: variables against a specification, as roles have it in meta/argument_specs.yml."""

from __future__ import annotations

from typing import Any

from scupi_provision.host.view import HostView
from scupi_provision.modules.argument_checking import problems
from scupi_provision.modules.contract import Field, Lookup, Module, ModuleArgs, Result

_ABSENT = object()


class Args(ModuleArgs):
    """Fail unless arguments are as a specification says."""

    argument_spec: dict[str, Any] = Field(
        description="Options by name, each with its type, required, choices, elements or options."
    )
    provided_arguments: dict[str, Any] = Field(
        default={}, description="What is judged, besides the variables that the specification names."
    )
    validate_args_context: dict[str, Any] = Field(default={}, description="Registered as given: whose arguments.")


def with_variables(values: dict[str, Any], lookup: Lookup) -> dict[str, Any]:
    """The arguments, with the variables that the specification names under those that are given."""
    spec = values.get("argument_spec")
    if not isinstance(spec, dict):
        return values
    told = {str(name): lookup(str(name), _ABSENT) for name in spec}
    known = {name: value for name, value in told.items() if value is not _ABSENT}
    return {**values, "provided_arguments": {**known, **(values.get("provided_arguments") or {})}}


def plan(args: Args, _host: HostView) -> Result:
    """Judge; nothing is done on a host."""
    context = {"validate_args_context": args.validate_args_context}
    errors = problems(args.argument_spec, args.provided_arguments)
    if not errors:
        return Result(values={"msg": "The arg spec validation passed", **context})
    message = "Validation of arguments failed:\n" + "\n".join(errors)
    values = {"argument_errors": errors, "argument_spec_data": args.argument_spec, "msg": message, **context}
    return Result(values=values, message=message, failed=True)


MODULE = Module(
    "validate_argument_spec",
    Args,
    plan,
    aliases=("ansible.builtin.validate_argument_spec",),
    prepare=with_variables,
)
