"""`cron`: one entry of the account's own crontab, which only the program `crontab` can read."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import AliasChoices, field_validator, model_validator

from scupi_provision.host.record import TaskFailedError
from scupi_provision.host.view import HostView
from scupi_provision.modules.contract import Boolean, Field, Module, ModuleArgs, Result, Text
from scupi_provision.shell.actions import Run
from scupi_provision.shell.replies import RunReply
from scupi_provision.shell.scripts import script

_ROOT_FILES = "is refused: files of /etc/cron.d need root; without it the entry goes into your own crontab"


class Args(ModuleArgs):
    """Have an entry in the crontab, or not. It is known by a comment with its name, as Ansible writes it."""

    name: Text = Field(description="What the entry is called; with env, the variable's name.")
    job: Text | None = Field(
        None,
        description="The command, on one line; with env, the variable's value.",
        validation_alias=AliasChoices("job", "value"),
    )
    state: Literal["present", "absent"] = Field("present", description="Whether the entry shall be there.")
    minute: Text = Field("*", description="Minutes at which it runs: 0-59, *, */2, …, as in crontab.")
    hour: Text = Field("*", description="Hours: 0-23.")
    day: Text = Field("*", description="Days of the month: 1-31.", validation_alias=AliasChoices("day", "dom"))
    month: Text = Field("*", description="Months: 1-12 or JAN-DEC.")
    weekday: Text = Field(
        "*", description="Days of the week: 0-6 or SUN-SAT.", validation_alias=AliasChoices("weekday", "dow")
    )
    special_time: Literal["annually", "daily", "hourly", "monthly", "reboot", "weekly", "yearly"] | None = Field(
        None, description="A name in place of the five times."
    )
    disabled: Boolean = Field(default=False, description="Whether the entry is there as a comment only.")
    env: Boolean = Field(default=False, description="Whether it is a variable of the crontab, not a job.")
    insertafter: Text | None = Field(None, description="With env: the variable after which a new one goes.")
    insertbefore: Text | None = Field(None, description="With env: the variable before which a new one goes.")
    backup: Boolean = Field(default=False, description="Keep a copy of the crontab that was there.")
    user: Text | None = Field(None, description="The account itself; others' crontabs need root.")
    cron_file: Text | None = Field(None, description=f"A file of the system {_ROOT_FILES}.")

    @field_validator("cron_file")
    @classmethod
    def _own_only(cls, value: str | None) -> str | None:
        if value:
            raise ValueError(_ROOT_FILES)
        return value

    @model_validator(mode="after")
    def _fitting(self) -> Args:
        if self.state == "present" and not self.job:
            raise ValueError("state: present needs job")
        if any("\n" in text for text in (self.name, self.job or "", *self._times())):
            raise ValueError("an entry of a crontab is one line")
        if self.special_time and any(time != "*" for time in self._times()):
            raise ValueError("special_time takes the place of minute, hour, day, month and weekday")
        if (self.insertafter or self.insertbefore) and not (self.env and self.state == "present"):
            raise ValueError("insertafter and insertbefore go with env and state: present")
        if self.insertafter and self.insertbefore:
            raise ValueError("give insertafter or insertbefore, not both")
        return self

    def _times(self) -> tuple[str, ...]:
        return (self.minute, self.hour, self.day, self.month, self.weekday)

    @property
    def line(self) -> str:
        """How the entry reads, or "" when it shall not be there."""
        if self.state == "absent":
            return ""
        if self.env:
            return f'{self.name}="{self.job}"'
        when = f"@{self.special_time}" if self.special_time else " ".join(self._times())
        return f"{'#' if self.disabled else ''}{when} {self.job}"


def plan(args: Args, host: HostView) -> Result:
    """Plan one run of crontab, which tells whether anything changes."""
    own = host.facts.raw.get("user")
    if args.user not in {None, own}:
        raise TaskFailedError(f"the crontab of {args.user} needs root; this account is {own}")
    words = script(
        "cron.sh",
        kind="env" if args.env else "job",
        name=args.name,
        line=args.line,
        after=args.insertafter or "",
        before=args.insertbefore or "",
        backup="yes" if args.backup else "",
    )
    host.run(Run(words, writes=(), fails_when_nonzero=False), f"crontab: {args.name}")
    return Result(changed=True, undecided="what the crontab holds", unprovable=True)


def finish(_args: Args, planned: Result, runs: tuple[RunReply, ...]) -> Result:
    """Whether the crontab was changed."""
    if not runs:
        return planned
    if runs[-1].status != 0:
        said = runs[-1].stderr.decode("utf-8", "replace").strip()
        message = said.splitlines()[-1] if said else "crontab has failed"
        return Result(values={"msg": message}, message=message, failed=True, unprovable=True)
    lines = runs[-1].stdout.decode("utf-8", "replace").splitlines()
    values: dict[str, Any] = {"backup_file": lines[1]} if len(lines) > 1 else {}
    return Result(changed=lines[:1] == ["changed"], values=values, unprovable=True)


MODULE = Module("cron", Args, plan, finish, aliases=("ansible.builtin.cron",))
