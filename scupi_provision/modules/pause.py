"""`pause`: let some time pass, or let a person say something."""

from __future__ import annotations

from typing import Any

from pydantic import field_validator, model_validator

from scupi_provision.host.view import HostView
from scupi_provision.modules.contract import Boolean, Field, Integer, Module, ModuleArgs, Result, Text, UnknownValue
from scupi_provision.modules.programs import when
from scupi_provision.shell.actions import Run
from scupi_provision.shell.replies import RunReply

_GRACE_S = 60


class Args(ModuleArgs):
    """Wait. Where nobody sits at a terminal, a question is not asked and the answer is empty, as in Ansible."""

    seconds: Integer | None = Field(None, description="So many seconds; less than 1 is 1.")
    minutes: Integer | None = Field(None, description="So many minutes.")
    prompt: Text | None = Field(None, description="What a person is asked, or told while the time passes.")
    echo: Boolean = Field(default=True, description="Whether what is typed is shown.")

    @field_validator("seconds", "minutes", mode="before")
    @classmethod
    def _whole(cls, value: Any) -> Any:
        return int(value) if isinstance(value, float) else value

    @model_validator(mode="after")
    def _fitting(self) -> Args:
        if self.seconds is not None and self.minutes is not None:
            raise ValueError("give seconds or minutes, not both")
        return self


def plan(args: Args, host: HostView) -> Result:
    """Plan the wait."""
    values = {"echo": args.echo, "rc": 0, "stderr": "", "user_input": "", "stdout": _said(args)}
    seconds = _seconds(args)
    if seconds is None:
        date = host.facts.raw.get("date", "").rstrip("Z").replace("T", " ")
        return Result(values={**values, "start": date, "stop": date, "delta": 0}, message=args.prompt or "")
    host.run(Run(("/bin/sh", "-c", f"sleep {seconds}"), timeout_s=seconds + _GRACE_S, writes=()), f"pause {seconds} s")
    times = dict.fromkeys(("start", "stop", "delta"), UnknownValue("how long the pause takes"))
    return Result(values={**values, **times}, message=args.prompt or "")


def _seconds(args: Args) -> int | None:
    if args.seconds is None and args.minutes is None:
        return None
    return max(int(args.seconds if args.seconds is not None else 60 * (args.minutes or 0)), 1)


def _said(args: Args) -> str:
    if args.seconds is not None:
        return f"Paused for {float(max(args.seconds, 1))} seconds"
    return f"Paused for {float(args.minutes or 0)} minutes"


def finish(args: Args, planned: Result, runs: tuple[RunReply, ...]) -> Result:
    """When it began and ended."""
    if not runs:
        return planned
    times = when(runs[-1].times)
    told = {"start": times["start"], "stop": times["end"], "delta": _seconds(args)}
    return Result(values={**planned.values, **told}, message=planned.message)


MODULE = Module("pause", Args, plan, finish, aliases=("ansible.builtin.pause",))
