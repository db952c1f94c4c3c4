"""`venv`: a Python virtual environment."""

from __future__ import annotations

import posixpath

from scupi_provision.host.record import TaskFailedError
from scupi_provision.host.view import HostView
from scupi_provision.modules import store
from scupi_provision.modules.contract import Boolean, Field, Module, ModuleArgs, PathText, Result, Text
from scupi_provision.shell.actions import Run
from scupi_provision.shell.entry import Entry, Kind
from scupi_provision.shell.scripts import script
from scupi_provision.shell.words import words


class Args(ModuleArgs):
    """Make a virtual environment. It is made at a hidden path and appears, whole, by one link switch.

    A virtual environment that is at `path` already and was not made by provision is left as it is. Registers `path`
    and `python`.
    """

    path: PathText = Field(description="Where it appears.")
    python: Text = Field("python3", description="The Python it is made with: a program on PATH, or a path.")
    system_site_packages: Boolean = Field(default=False, description="Let it see the packages of that Python too.")


def plan(args: Args, host: HostView) -> Result:
    """Plan the tree and the link to it, unless both are there."""
    path = host.path(args.path)
    values = {"path": path, "python": posixpath.join(path, "bin/python")}
    inputs = {
        "format": 1,
        "path": path,
        "python": host.path(args.python) if "/" in args.python else args.python,
        "system_site_packages": args.system_site_packages,
    }
    tree = host.path(f"{store.STORE}/{store.key(f'venv-{posixpath.basename(path)}', inputs)}")
    host.want(entries=[path, posixpath.dirname(path), f"{tree}/.ok"])
    now = host.entry(path)
    if _is_theirs(host, path, now):
        return Result(values=values)
    changed = False
    if not store.is_whole(host, tree, inputs):
        _make(args, host, tree, inputs)
        changed = True
    changed = host.link(path, tree) or changed
    return Result(changed, values)


def _is_theirs(host: HostView, path: str, now: Entry) -> bool:
    """Whether a virtual environment that provision did not make is in the place; fails when something else is."""
    ours = host.path(store.STORE) + "/venv-"
    if not now.exists or (now.kind is Kind.LINK and (now.target or "").startswith(ours)):
        return False
    if host.entry(f"{path}/pyvenv.cfg").kind is Kind.FILE:
        return True
    what = f"a link to {now.target}" if now.kind is Kind.LINK else "something that is no virtual environment"
    raise TaskFailedError(f"{path} is {what}; it is not ours to replace. Move it away, or choose another path")


def _make(args: Args, host: HostView, tree: str, inputs: dict[str, object]) -> None:
    command = script(
        "venv.sh",
        tree=tree,
        python=str(inputs["python"]),
        options=words(*(["--system-site-packages"] if args.system_site_packages else [])),
        ok=store.manifest(inputs).decode(),
    )
    creates = (f"{tree}/.ok", f"{tree}/bin/python")
    run = Run(command, phase="venv", timeout_s=1800, creates=creates, writes=(tree,))
    host.run(run, f"make a virtual environment with {inputs['python']} in {tree}")


MODULE = Module("venv", Args, plan, aliases=("scupi.provision.venv",))
