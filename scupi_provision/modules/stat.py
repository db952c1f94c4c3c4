"""`stat`: what is at a path. Changes nothing."""

from __future__ import annotations

import posixpath
from typing import Any

from pydantic import field_validator

from scupi_provision.host.view import HostView
from scupi_provision.modules.contract import AliasChoices, Boolean, Field, Module, ModuleArgs, PathText, Result, Text
from scupi_provision.shell.entry import Entry, Kind

_PERMISSIONS = {
    "rusr": 0o400, "wusr": 0o200, "xusr": 0o100, "rgrp": 0o040, "wgrp": 0o020, "xgrp": 0o010,
    "roth": 0o004, "woth": 0o002, "xoth": 0o001, "isuid": 0o4000, "isgid": 0o2000,
}  # fmt: skip


class Args(ModuleArgs):
    """Tell what is at a path. `checksum` is the SHA-256: hosts are read with one algorithm, and it is not SHA-1."""

    path: PathText = Field(description="The path.", validation_alias=AliasChoices("path", "dest", "name"))
    follow: Boolean = Field(default=False, description="Tell of what a link points to, not of the link.")
    get_checksum: Boolean = Field(default=True, description="Whether `stat.checksum` is given for files.")
    checksum_algorithm: Text = Field(
        "sha256",
        description="Only sha256.",
        validation_alias=AliasChoices("checksum_algorithm", "checksum", "checksum_algo"),
    )
    get_mime: Boolean = Field(default=True, description="As in Ansible; the kind of content is never told.")
    get_attributes: Boolean = Field(default=True, description="As in Ansible; flags of file systems are never told.")

    @field_validator("checksum_algorithm")
    @classmethod
    def _known(cls, value: str) -> str:
        if value != "sha256":
            raise ValueError(f"{value} is not offered; hosts are read with sha256")
        return value


def plan(args: Args, host: HostView) -> Result:
    """Nothing to change; the values are Ansible's, as far as a plan can know them."""
    path = host.path(args.path)
    entry = host.entry(path, follow=args.follow)
    if not entry.exists:
        return Result(values={"stat": {"exists": False}})
    return Result(values={"stat": _values(path, entry, checksum=args.get_checksum)})


def _values(path: str, entry: Entry, *, checksum: bool) -> dict[str, Any]:
    values: dict[str, Any] = {
        "exists": True,
        "path": path,
        "isreg": entry.kind is Kind.FILE,
        "isdir": entry.kind is Kind.DIRECTORY,
        "islnk": entry.kind is Kind.LINK,
    }
    if entry.kind is not Kind.OTHER:
        values |= dict.fromkeys(("isblk", "ischr", "isfifo", "issock"), False)
    if entry.mode is not None:
        values["mode"] = f"{entry.mode:04o}"
        values |= {name: bool(entry.mode & bit) for name, bit in _PERMISSIONS.items()}
    if entry.size is not None:
        values["size"] = entry.size
    if entry.kind is Kind.FILE:
        values["readable"] = entry.digest is not None
        if checksum and entry.digest is not None:
            values["checksum"] = entry.digest
    if entry.kind is Kind.LINK and entry.target is not None:
        values["lnk_target"] = entry.target
        values["lnk_source"] = posixpath.normpath(posixpath.join(posixpath.dirname(path), entry.target))
    return values


MODULE = Module("stat", Args, plan, aliases=("ansible.builtin.stat",))
