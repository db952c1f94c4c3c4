"""`expect`: one claim about a host, tested. Changes nothing; what it claims and sees is told also when it holds."""

from __future__ import annotations

import re
from typing import Any, Literal

from pydantic import field_validator, model_validator

from scupi_provision.host.view import HostView
from scupi_provision.modules.contract import (
    AliasChoices,
    Boolean,
    Claim,
    Field,
    Integer,
    Mode,
    Module,
    ModuleArgs,
    PathText,
    Result,
    Text,
)
from scupi_provision.modules.expecting import path as paths
from scupi_provision.modules.expecting import program as programs
from scupi_provision.modules.expecting import value as values
from scupi_provision.shell.replies import RunReply

_SUBJECTS = ("command", "shell", "path", "value")
_PROGRAM_ONLY = (
    "rc", "stdout", "stdout_contains", "stdout_matches", "stdout_lacks", "stderr_contains", "timeout", "environment",
    "chdir", "login_shell",
)  # fmt: skip
_PATH_ONLY = ("kind", "mode", "contains", "target")


class Args(ModuleArgs):
    """Claim something about what a command says, what is at a path, or what a value is."""

    command: Text | None = Field(None, description="A program with its arguments, run without a shell.")
    shell: Text | None = Field(None, description="A text run by /bin/sh, or by the account's shell with login_shell.")
    path: PathText | None = Field(None, description="A path that must be there (or not: kind: absent).")
    value: Any = Field(
        None, description='A value of the playbook: "{{ … }}".', validation_alias=AliasChoices("value", "fact")
    )
    equals: Any = Field(None, description="What the value must be; text and numbers are compared as text.")
    login_shell: Boolean = Field(default=False, description="Run it as a fresh login of the account would.")
    rc: Integer = Field(0, description="Exit status that is expected.")
    stdout: Text | None = Field(None, description="What it must print, without white space at both ends.")
    stdout_contains: Text | None = Field(None, description="What must be somewhere in what it prints.")
    stdout_matches: Text | None = Field(None, description="A regular expression that must match in what it prints.")
    stdout_lacks: Text | None = Field(None, description="What must be nowhere in what it prints.")
    stderr_contains: Text | None = Field(None, description="What must be in what it prints to stderr.")
    timeout: Integer = Field(60, description="Seconds until it is ended and the claim has failed.")
    environment: dict[str, Text] = Field(default={}, description="More variables for the program.")
    chdir: PathText | None = Field(None, description="Where it runs; the home when not given.")
    kind: Literal["file", "directory", "link", "absent"] | None = Field(None, description="What must be at the path.")
    mode: Mode | None = Field(None, description="The mode it must have.")
    contains: Text | None = Field(None, description="What must be somewhere in the file.")
    target: Text | None = Field(None, description="Where the link must point.")

    @field_validator("stdout_matches")
    @classmethod
    def _expression(cls, value: str | None) -> str | None:
        try:
            re.compile(value or "")
        except re.error as error:
            raise ValueError(f"is not a regular expression: {error}") from None
        return value

    @model_validator(mode="after")
    def _fitting(self) -> Args:
        given = self.model_fields_set
        subjects = [name for name in _SUBJECTS if name in given]
        if len(subjects) != 1:
            raise ValueError(f"give exactly one of {', '.join(_SUBJECTS)}")
        subject = subjects[0]
        allowed: tuple[str, ...] = _PROGRAM_ONLY if subject in {"command", "shell"} else _PATH_ONLY
        if subject == "value":
            allowed = ("equals",)
        for name in sorted(given - {subject} - set(allowed)):
            raise ValueError(f"{name} does not go with {subject}; {subject} takes {', '.join(allowed)}")
        if subject == "value" and "equals" not in given:
            raise ValueError("value needs equals")
        return self


def plan(args: Args, host: HostView) -> Result:
    """Judge at once what can be read; a program is planned and judged when it has run."""
    if args.path is not None:
        return judged(paths.claims(args, host))
    if "value" in args.model_fields_set:
        return judged(values.claims(args.value, args.equals))
    return programs.plan(args, host)


def finish(args: Args, planned: Result, runs: tuple[RunReply, ...]) -> Result:
    """Judge what the program said."""
    if not runs:
        return planned
    result = judged(programs.claims(args, runs[-1]))
    return Result(values=programs.values(runs[-1]), message=result.message, failed=result.failed, claims=result.claims)


def judged(claims: tuple[Claim, ...]) -> Result:
    """The result of claims: failed when one does not hold; the message names those."""
    wrong = [claim for claim in claims if not claim.passed]
    message = "; ".join(f"expected {claim.expected}, saw {claim.seen}" for claim in wrong)
    return Result(message=message, failed=bool(wrong), claims=claims)


MODULE = Module("expect", Args, plan, finish, aliases=("scupi.provision.expect",))
