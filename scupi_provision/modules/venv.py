"""`venv`: a Python virtual environment."""

from __future__ import annotations

import posixpath
import re
from typing import Literal

from pydantic import field_validator

from scupi_provision.host.record import TaskFailedError
from scupi_provision.host.view import HostView
from scupi_provision.modules import store
from scupi_provision.modules.contract import Boolean, Field, Module, ModuleArgs, PathText, Result, Text, Words
from scupi_provision.modules.get_url import check_url
from scupi_provision.modules.store_tree import paths_in_home
from scupi_provision.shell.actions import Run
from scupi_provision.shell.entry import Entry, Kind
from scupi_provision.shell.program import shell_source
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
    with_: Literal["venv", "virtualenv", "uv"] = Field(
        "venv",
        validation_alias="with",
        description="What makes it: the standard library's venv, virtualenv (which brings its own pip, and takes"
        " Pythons without ensurepip) or uv (the quickest).",
    )
    program: Text | None = Field(
        None, description="Where virtualenv or uv is; the default is the one on PATH. `venv` needs none."
    )
    get_pip: Words = Field(
        default=[],
        description="Folders with get-pip.py, and pip/3.9/get-pip.py for old Pythons, tried in order. It is taken only"
        " where Python cannot install pip by itself (ensurepip); it has no fixed content, so no hash can be named.",
    )
    index_url: Words = Field(
        default=[], description="Package indexes, of which get-pip and uv take the first; none is their own setting."
    )

    @field_validator("get_pip")
    @classmethod
    def _folders(cls, folders: list[str]) -> list[str]:
        return [check_url(folder) for folder in folders]


def plan(args: Args, host: HostView) -> Result:
    """Plan the tree and the link to it, unless both are there."""
    path = host.path(args.path)
    values = {"path": path, "python": posixpath.join(path, "bin/python")}
    inputs = _inputs(args, host, path)
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


def _inputs(args: Args, host: HostView, path: str) -> dict[str, object]:
    """What the environment is made from. Where pip comes from does not make it another one."""
    inputs: dict[str, object] = {
        "format": 1,
        "path": path,
        "python": host.path(args.python) if "/" in args.python else args.python,
        "system_site_packages": args.system_site_packages,
    }
    return inputs if args.with_ == "venv" else {**inputs, "with": args.with_}


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
    python = str(inputs["python"])
    program = args.program or args.with_
    program = host.path(program) if "/" in program else program
    command = script(
        "venv.sh",
        tree=tree,
        python=python,
        maker=args.with_,
        program=program,
        options=words(*(["--system-site-packages"] if args.system_site_packages else [])),
        folders=words(*(folder.rstrip("/") for folder in args.get_pip)),
        download=shell_source("download.sh"),
        ok=store.manifest(inputs).decode(),
    )
    index = next((word for place in args.index_url for word in place.split() if re.match(r"[a-z]+://", word)), "")
    run = Run(
        command,
        environment=(("PROVISION_INDEX", index),) if index else (),  # may hold a password: never on a command line
        phase="venv",
        timeout_s=1800,
        creates=(f"{tree}/.ok", f"{tree}/bin/python"),
        writes=(tree,),
        uses=paths_in_home(host, [python, program]),
    )
    host.run(run, f"make a virtual environment with {python} in {tree}")


MODULE = Module("venv", Args, plan, aliases=("scupi.provision.venv",))
