"""Arguments that every module about files has: mode, owner and group; and what such a module registers."""

from __future__ import annotations

import posixpath
from typing import Any

from scupi_provision.host.record import TaskFailedError
from scupi_provision.host.view import HostView
from scupi_provision.modules.contract import Field, Mode, ModuleArgs, Text
from scupi_provision.shell.details import read_details
from scupi_provision.shell.entry import Entry, Kind
from scupi_provision.values import UnknownValueError

_STATES = {Kind.FILE: "file", Kind.DIRECTORY: "directory", Kind.LINK: "link", Kind.ABSENT: "absent"}
_SET_GROUP = 0o2000
"""The bit of a directory that gives what is made in it the directory's group."""


class OwnedArgs(ModuleArgs):
    """Who a file belongs to. Without root a file can belong to nobody but the account itself."""

    owner: Text | None = Field(None, description="The account itself, by name or number; nothing else is possible.")
    group: Text | None = Field(
        None, description="The account's own group, by name or number; nothing else is possible."
    )


class FileArgs(OwnedArgs):
    """Who a file belongs to, and its mode."""

    mode: Mode | None = Field(None, description='Permissions: "0644" or u=rw,g=r. Left as they are when not given.')


def require_own(args: OwnedArgs, host: HostView) -> None:
    """Fail when a file is to belong to somebody else, which only root could do."""
    if args.owner is None and args.group is None:
        return
    raw = host.facts.raw
    users = {raw.get("user"), raw.get("uid")}
    groups = {raw.get("group"), raw.get("gid")}
    for kind, wanted, own in (("owner", args.owner, users), ("group", args.group, groups)):
        if wanted is not None and wanted not in own:
            mine = " or ".join(sorted(name for name in own if name))
            raise TaskFailedError(f"{kind} {wanted}: only root can give files away; this account is {mine}")


def attributes(host: HostView, path: str, name: str = "path") -> dict[str, Any]:
    """What modules about files register on `path` as it will be: path (as `name`), state, mode, size, whose it is.

    A directory's size and what a plan does not know of are left out.
    """
    path = host.path(path)
    entry = host.entry(path)
    values: dict[str, Any] = {name: path, "state": _STATES.get(entry.kind, "file")}
    if not entry.exists:
        return values
    if entry.kind is Kind.LINK:
        values["mode"] = "0777"
        values["size"] = len((entry.target or "").encode("utf-8", "surrogateescape"))
    if entry.mode is not None:
        values["mode"] = f"{entry.mode:04o}"
    if entry.size is not None:
        values["size"] = entry.size
    return values | _owner(host, path, entry)


def _owner(host: HostView, path: str, entry: Entry) -> dict[str, Any]:
    raw = host.facts.raw
    uid, gid = (int(raw.get(name, "0")) for name in ("uid", "gid"))
    if entry.gid is None and entry.uid is None:  # the plan makes it
        above = host.entry(posixpath.dirname(path), follow=True)
        inherited = above.gid if above.mode is not None and above.mode & _SET_GROUP else None
        entry = Entry(entry.kind, uid=uid, gid=gid if inherited is None else inherited)
    if (entry.uid, entry.gid) == (uid, gid):
        return {"uid": uid, "gid": gid, "owner": raw.get("user", str(uid)), "group": raw.get("group", str(gid))}
    named = {"uid": entry.uid, "gid": entry.gid}
    try:
        details = read_details(host.inspect("stat", path, roots=(path,)).decode().partition("\n")[0])
    except (UnknownValueError, ValueError):
        return named  # of others' names only the host knows, once it is there
    return named | {"owner": details.owner, "group": details.group}


def backup_path(host: HostView, path: str) -> str | None:
    """Where the copy of an existing file is kept, or None when there is nothing to keep.

    The name has the time, as Ansible's has, and a part of the hash, so that no copy of one run replaces another.
    """
    entry = host.entry(path)
    if entry.kind is not Kind.FILE:
        return None
    date, _, time = host.facts.raw.get("date", "").rstrip("Z").partition("T")
    return f"{host.path(path)}.{date}@{time}.{(entry.digest or '')[:8]}~"
