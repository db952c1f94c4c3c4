"""`fetch`: a file of the host for the controller."""

from __future__ import annotations

import posixpath
from pathlib import Path
from typing import Annotated, Any

from pydantic import PlainValidator

from scupi_provision.host.record import TaskFailedError
from scupi_provision.host.view import HostView
from scupi_provision.modules.checksums import sum_of
from scupi_provision.modules.contract import Boolean, Field, Lookup, Module, ModuleArgs, PathText, Result
from scupi_provision.modules.controller_place import ControllerPlace, content_there, place_of
from scupi_provision.shell.entry import Kind


def _place(value: Any) -> ControllerPlace:
    return value if isinstance(value, ControllerPlace) else ControllerPlace(str(value), ".", "")


class Args(ModuleArgs):
    """Copy a file of the host to this computer, below a folder for each host."""

    src: PathText = Field(description="The file on the host; a link is followed.")
    dest: Annotated[ControllerPlace, PlainValidator(_place)] = Field(
        description="The folder here, below which each host has its own; with flat, the file or (ending in `/`) folder."
    )
    flat: Boolean = Field(default=False, description="Put the file at `dest` itself, without a folder for the host.")
    fail_on_missing: Boolean = Field(default=True, description="Fail when the file is not there.")
    validate_checksum: Boolean = Field(
        default=True, description="As in Ansible; what arrives is always compared with its sum."
    )


def plan(args: Args, host: HostView) -> Result:
    """Plan to keep it here, unless it is here already."""
    host.want(entries=[args.src], contents=[args.src])
    source = host.path(args.src)
    real = host.resolve(source)
    entry = host.entry(real)
    if entry.kind is not Kind.FILE:
        return _missing(args, source, directory=entry.kind is Kind.DIRECTORY)
    target, within = _target(args, source)
    content = host.content(real)
    checksum, md5 = sum_of(content), sum_of(content, "md5")
    values = {"checksum": checksum, "md5sum": md5, "dest": str(target)}
    if content_there(target) == content:
        return Result(values={**values, "file": source})
    host.keep(real, str(target), str(within))
    return Result(changed=True, values={**values, "remote_checksum": checksum, "remote_md5sum": None})


def _missing(args: Args, source: str, *, directory: bool) -> Result:
    why = "remote file is a directory, fetch cannot work on directories"
    if not directory:
        why = "the remote file does not exist"
    if args.fail_on_missing:
        raise TaskFailedError(f"{why}: {source}")
    return Result(values={"msg": f"{why}, not transferring, ignored", "file": source})


def _target(args: Args, source: str) -> tuple[Path, Path]:
    """Where it goes, and the folder that it must not leave."""
    place = args.dest
    if not args.flat:
        if "/" in place.host or place.host in {"", ".", ".."}:
            raise TaskFailedError(f"{place.host!r} cannot be the name of a folder; use flat: true")
        return place.below(place.host, source), place.path
    if place.text.endswith("/"):
        return place.below(posixpath.basename(source)), place.path
    if place.path.is_dir():
        raise TaskFailedError("dest is an existing directory, use a trailing slash to fetch src into that directory")
    return place.path, place.path.parent


def _prepare(values: dict[str, Any], lookup: Lookup) -> dict[str, Any]:
    return place_of("dest", values, lookup)


MODULE = Module("fetch", Args, plan, aliases=("ansible.builtin.fetch",), prepare=_prepare)
