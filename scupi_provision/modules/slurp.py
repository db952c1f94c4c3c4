"""`slurp`: the content of a file on the host, in base64. Changes nothing."""

from __future__ import annotations

import base64

from scupi_provision.host.record import TaskFailedError
from scupi_provision.host.view import HostView
from scupi_provision.modules.contract import AliasChoices, Field, Module, ModuleArgs, PathText, Result
from scupi_provision.shell.entry import Kind

MOST_BYTES = 1024 * 1024
"""What is registered is kept in memory and may be rendered into templates; configuration files are far smaller."""


class Args(ModuleArgs):
    """Read a file. Registers `content` (base64, as in Ansible: `b64decode` makes it text), `source` and `encoding`."""

    src: PathText = Field(description="The file; links are followed.", validation_alias=AliasChoices("src", "path"))


def plan(args: Args, host: HostView) -> Result:
    """Nothing to change; the content as it will be when the task's turn comes."""
    path = host.resolve(args.src)
    entry = host.entry(path)
    if entry.kind is not Kind.FILE:
        raise TaskFailedError(f"{path} does not exist, or is not a file")
    if entry.size is not None and entry.size > MOST_BYTES:
        raise TaskFailedError(f"{path} has {entry.size} bytes; at most {MOST_BYTES} are read this way")
    content = base64.b64encode(host.content(path)).decode("ascii")
    return Result(values={"content": content, "source": path, "encoding": "base64"})


MODULE = Module("slurp", Args, plan, aliases=("ansible.builtin.slurp",))
