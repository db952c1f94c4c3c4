"""`git_config`: one setting of git. Whether it is so is read from the file; git runs only to change it."""

from __future__ import annotations

from typing import Literal

from pydantic import field_validator, model_validator

from scupi_provision.events import Diff
from scupi_provision.host.record import TaskFailedError
from scupi_provision.host.view import HostView
from scupi_provision.modules.contract import Field, Module, ModuleArgs, PathText, Result, Text
from scupi_provision.modules.git_settings import normal_name, settings
from scupi_provision.shell.actions import Run
from scupi_provision.shell.entry import Kind


class Args(ModuleArgs):
    """Set or unset a setting of git."""

    name: Text = Field(description="Its name, such as user.name.")
    value: Text | None = Field(None, description="What it shall be; needed unless it shall be absent.")
    scope: Literal["local", "global", "file", "system"] | None = Field(
        None, description="Whose setting: a repository's, the account's (global), or a file's. system needs root."
    )
    repo: PathText | None = Field(None, description="The repository, with scope: local.")
    file: PathText | None = Field(None, description="The file, with scope: file.")
    state: Literal["present", "absent"] = Field("present", description="Whether it shall be set.")
    add_mode: Literal["add", "replace-all"] = Field(
        "replace-all", description="Whether a value joins those that the setting has, or takes their place."
    )

    @field_validator("name")
    @classmethod
    def _named(cls, value: str) -> str:
        normal_name(value)
        return value

    @model_validator(mode="after")
    def _fitting(self) -> Args:
        if self.state == "present" and self.value is None:
            raise ValueError("state: present needs value")
        if self.scope in {None, "system"}:
            raise ValueError("settings of the whole system need root; use scope: global")
        if self.scope == "local" and self.repo is None:
            raise ValueError("scope: local needs repo")
        if self.scope == "file" and self.file is None:
            raise ValueError("scope: file needs file")
        return self


def plan(args: Args, host: HostView) -> Result:
    """Plan a run of git, unless the setting is as it shall be."""
    path = _file(args, host)
    text = host.content(path).decode("utf-8", "replace") if host.entry(path).exists else ""
    name = normal_name(args.name)
    values = [value for key, value in settings(text) if key == name]
    if _is_so(args, values):
        return Result(values={"msg": ""})
    wanted = [*values, args.value or ""] if args.add_mode == "add" else [args.value or ""]
    after = [] if args.state == "absent" else wanted
    if args.state == "absent":
        words = ["--unset-all", args.name]
    else:
        words = ["--add" if args.add_mode == "add" else "--replace-all", args.name, args.value or ""]
    run = Run(("git", "config", "--file", path, *words), phase="git config", writes=(path,))
    host.run(run, f"git: {args.name} in {path}")
    diff = Diff(args.name, "".join(f"{v}\n" for v in values), "".join(f"{v}\n" for v in after), f"set {args.name}")
    said = "setting unset" if args.state == "absent" else "setting changed"
    return Result(changed=True, values={"msg": said}, diffs=(diff,))


def _is_so(args: Args, values: list[str]) -> bool:
    if args.state == "absent":
        return not values
    return values == [args.value] or (args.add_mode == "add" and args.value in values)


def _file(args: Args, host: HostView) -> str:
    """The file that git would write (git-config(1), FILES)."""
    if args.scope == "file":
        return host.resolve(args.file or "")
    if args.scope == "local":
        for path in (f"{args.repo}/.git/config", f"{args.repo}/config"):
            if host.entry(path, follow=True).kind is Kind.FILE:
                return host.resolve(path)
        raise TaskFailedError(f"{args.repo} is no repository of git")
    host.want(entries=["~/.gitconfig", "~/.config/git/config"])
    if not host.entry("~/.gitconfig").exists and host.entry("~/.config/git/config", follow=True).exists:
        return host.resolve("~/.config/git/config")
    return host.resolve("~/.gitconfig")


MODULE = Module("git_config", Args, plan, aliases=("community.general.git_config",))
