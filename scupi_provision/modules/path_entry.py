"""`path_entry`: a directory on the PATH of the account's shells."""

from __future__ import annotations

from typing import Literal

from scupi_provision.host import generation
from scupi_provision.host.record import TaskFailedError
from scupi_provision.host.view import HostView
from scupi_provision.modules.contract import Field, Module, ModuleArgs, PathText, Result, Text


class Args(ModuleArgs):
    """Put a directory on PATH, or take it off.

    All entries of one apply appear together, by one rename at the end of the play; `~/.bashrc` is not touched.
    """

    path: PathText = Field(description="The directory, such as a build's `{{ prefix }}/bin`.")
    name: Text | None = Field(
        None, description="What the entry is called: another directory of the same name replaces it. Default: the path."
    )
    state: Literal["present", "absent"] = Field("present", description="Whether it shall be on PATH.")
    position: Literal["first", "last"] = Field("first", description="Before or after the entries that are there.")


def plan(args: Args, host: HostView) -> Result:
    """Plan the next generation of the environment."""
    path = host.path(args.path)
    if ":" in path or "\n" in path:
        raise TaskFailedError(f"{path!r} cannot be on PATH: it has a colon or a line break")
    name = args.name or path
    now = generation.staged(host)
    if args.state == "present":
        wanted = now.with_path(name, path, first=args.position == "first")
    else:
        wanted = now.without_path(name)
    changed = generation.stage(host, wanted)
    return Result(changed, {"name": name, "path": path, "paths": list(wanted.paths.values())})


MODULE = Module("path_entry", Args, plan, aliases=("scupi.provision.path_entry",))
