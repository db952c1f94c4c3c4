"""`tempfile`: a new file or folder that nobody else uses. Always a change; only the run can tell its name."""

from __future__ import annotations

import posixpath
from typing import Any, Literal

from scupi_provision.host.view import HostView
from scupi_provision.modules.contract import Field, Module, ModuleArgs, PathText, Result, Text, UnknownValue
from scupi_provision.shell.actions import Run
from scupi_provision.shell.replies import RunReply
from scupi_provision.shell.scripts import script


class Args(ModuleArgs):
    """Make an empty file or folder with a name of its own, for this account alone."""

    state: Literal["file", "directory"] = Field("file", description="What is made.")
    path: PathText | None = Field(None, description="The folder that it is made in; the host's own when not given.")
    prefix: Text = Field("ansible.", description="How its name begins.")
    suffix: Text = Field("", description="How its name ends.")


def plan(args: Args, host: HostView) -> Result:
    """Plan to make it."""
    folder = host.path(args.path) if args.path else ""
    settings = {"folder": folder, "prefix": args.prefix, "suffix": args.suffix, "kind": args.state}
    host.run(Run(script("tempfile.sh", **settings)), f"make a temporary {args.state}")
    values: dict[str, Any] = {name: UnknownValue("the name of a temporary file") for name in ("path", "gid", "uid")}
    raw = host.facts.raw
    mode = "0600" if args.state == "file" else "0700"
    known = {"owner": raw.get("user"), "group": raw.get("group"), "mode": mode, "state": args.state}
    return Result(changed=True, values={**values, **known}, unprovable=True)


def finish(_args: Args, planned: Result, runs: tuple[RunReply, ...]) -> Result:
    """Its name, as the host told it."""
    if not runs or runs[-1].status != 0:
        return planned
    path, uid, gid = runs[-1].stdout.decode("utf-8", "surrogateescape").rsplit("\n", 3)[:3]
    values = {**planned.values, "path": posixpath.normpath(path), "uid": int(uid), "gid": int(gid)}
    return Result(changed=True, values=values, unprovable=True)


MODULE = Module("tempfile", Args, plan, finish, aliases=("ansible.builtin.tempfile",))
