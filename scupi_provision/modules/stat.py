"""`stat`: what is at a path. Changes nothing."""

from __future__ import annotations

import posixpath
from typing import Any

from scupi_provision.host.record import TaskFailedError
from scupi_provision.host.view import HostView
from scupi_provision.modules.checksums import Algorithm, sum_on_host, told_or_unknown
from scupi_provision.modules.contract import AliasChoices, Boolean, Field, Module, ModuleArgs, PathText, Result
from scupi_provision.shell.details import permissions, read_details
from scupi_provision.shell.entry import Entry, Kind

_ONLY_DETAILS = (
    "uid", "gid", "inode", "dev", "nlink", "atime", "mtime", "ctime", "pw_name", "gr_name", "blocks", "block_size",
    "device_type", "readable", "writeable", "executable",
)  # fmt: skip
"""What entries do not tell: known after apply when the plan makes the file."""
_FLAGS = {
    "A": "noatime", "a": "append", "C": "nocow", "c": "compressed", "D": "dirsync", "d": "nodump", "e": "extents",
    "E": "encrypted", "F": "casefold", "i": "immutable", "I": "indexed", "j": "journalled", "N": "inline",
    "P": "project", "S": "synchronous", "s": "zero", "t": "notail", "T": "blockroot", "u": "undelete", "V": "verity",
}  # fmt: skip
"""Flags of file systems by lsattr's letters (chattr(1)), in the words of Ansible's return values."""


class Args(ModuleArgs):
    """Tell what is at a path."""

    path: PathText = Field(description="The path.", validation_alias=AliasChoices("path", "dest", "name"))
    follow: Boolean = Field(default=False, description="Tell of what a link points to, not of the link.")
    get_checksum: Boolean = Field(default=True, description="Whether `stat.checksum` is given for files.")
    checksum_algorithm: Algorithm = Field(
        "sha1",
        description="How `stat.checksum` is made; sha224 and sha384 need programs that not every host has.",
        validation_alias=AliasChoices("checksum_algorithm", "checksum", "checksum_algo"),
    )
    get_mime: Boolean = Field(
        default=True,
        description="Whether `stat.mimetype` and `stat.charset` are given; `unknown` where file(1) is not on the host.",
        validation_alias=AliasChoices("get_mime", "mime", "mime_type", "mime-type"),
    )
    get_attributes: Boolean = Field(
        default=True,
        description="Whether flags of the file system are given, where lsattr(1) tells them.",
        validation_alias=AliasChoices("get_attributes", "attr", "attributes"),
    )


def plan(args: Args, host: HostView) -> Result:
    """Nothing to change; the values are Ansible's."""
    path = host.path(args.path)
    if host.content_at_hand(path) is None:
        host.want_inspected(path, _questions(args, path))
    real = host.resolve(path) if args.follow else path
    entry = host.entry(real)
    if not entry.exists:
        return Result(values={"stat": {"exists": False}})
    told = told_or_unknown(host, lambda: _details(args, host, real))
    values = _of_entry(path, entry)
    values |= told if isinstance(told, dict) else dict.fromkeys(_ONLY_DETAILS, told)
    if entry.kind is Kind.FILE and args.get_checksum and values["readable"] is not False:
        values["checksum"] = told_or_unknown(host, lambda: sum_on_host(host, real, args.checksum_algorithm))
    if entry.kind is Kind.LINK:
        values |= {"lnk_target": entry.target, "lnk_source": _end_of(host, path)}
    return Result(values={"stat": values})


def _questions(args: Args, path: str) -> list[tuple[str, ...]]:
    asked: list[tuple[str, ...]] = [("stat", path)]
    if args.get_mime or args.get_attributes:
        asked.append(("kind", path))
    if args.get_checksum and args.checksum_algorithm != "sha256":
        asked.append(("sum", args.checksum_algorithm, path))
    return asked


def _of_entry(path: str, entry: Entry) -> dict[str, Any]:
    """What is known of it even before it is made."""
    kinds = {"isreg": Kind.FILE, "isdir": Kind.DIRECTORY, "islnk": Kind.LINK}
    values: dict[str, Any] = {"exists": True, "path": path, **{name: entry.kind is k for name, k in kinds.items()}}
    if entry.kind is not Kind.OTHER:
        values |= dict.fromkeys(("isblk", "ischr", "isfifo", "issock"), False)
    if entry.mode is not None:
        values |= {"mode": f"{entry.mode:04o}", **permissions(entry.mode)}
    if entry.size is not None:
        values["size"] = entry.size
    return values


def _details(args: Args, host: HostView, path: str) -> dict[str, Any]:
    line, may, *_ = [*host.inspect("stat", path, roots=(path,)).decode("utf-8", "replace").splitlines(), "", ""]
    if not line:
        raise TaskFailedError(f"{path} went while it was looked at")
    details = read_details(line)
    values = {
        **details.values(),
        "blocks": details.blocks,
        "block_size": details.block_size,
        "device_type": details.device_type,
        **{name: letter in may for name, letter in (("readable", "r"), ("writeable", "w"), ("executable", "x"))},
    }
    if args.get_mime or args.get_attributes:
        said = host.inspect("kind", path, roots=(path,)).decode("utf-8", "replace")
        values |= {**(_mime(said) if args.get_mime else {}), **(_flags(said) if args.get_attributes else {})}
    return values


def _mime(said: str) -> dict[str, Any]:
    text = next((line[5:] for line in said.splitlines() if line.startswith("mime ")), "")
    kind, _, charset = text.partition("; charset=")
    return {"mimetype": kind.strip() or "unknown", "charset": charset.strip() or "unknown"}


def _flags(said: str) -> dict[str, Any]:
    words = next((line.split()[1:] for line in said.splitlines() if line.startswith("flags ")), [])
    if len(words) < 2:
        return {"version": None, "attributes": [], "attr_flags": ""}
    letters = words[1].replace("-", "")
    return {"version": words[0], "attributes": [_FLAGS.get(c, c) for c in letters], "attr_flags": letters}


def _end_of(host: HostView, path: str) -> str:
    """Where a link leads in the end."""
    end = host.resolve(path)
    above = posixpath.dirname(end)
    if host.entry(above).kind is not Kind.LINK:
        return end
    return posixpath.join(_end_of(host, above), posixpath.basename(end))


MODULE = Module("stat", Args, plan, aliases=("ansible.builtin.stat",))
