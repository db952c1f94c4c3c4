"""The other direction of `synchronize`: what is on the host, kept here."""

from __future__ import annotations

import posixpath
from collections.abc import Callable
from dataclasses import dataclass

from scupi_provision.host.record import TaskFailedError
from scupi_provision.host.view import HostView
from scupi_provision.modules.contract import Result
from scupi_provision.modules.controller_place import ControllerPlace, content_there
from scupi_provision.modules.trees import tree_below
from scupi_provision.shell.entry import Kind


@dataclass(frozen=True)
class Pull:
    """What is wanted of a pull.

    Attributes:
        source: The path on the host as it was written; a final `/` means what is in it.
        place: Where it goes on this computer.
        recursive: Whether folders are entered.
        keeps_modes: Whether permissions come along.
        existing_only: Whether only files that are here already are changed.
        excludes: Whether a name below the source is left out.
    """

    source: str
    place: ControllerPlace
    recursive: bool
    keeps_modes: bool
    existing_only: bool
    excludes: Callable[[str], bool]


def pull(wish: Pull, host: HostView) -> Result:
    """Plan what brings the files here."""
    real = host.resolve(wish.source)
    return Result(_keep_all(wish, host, _names(wish, host, real)), {"rc": 0, "dest": str(wish.place.path)})


def _names(wish: Pull, host: HostView, real: str) -> dict[str, str]:
    """What each file will be called below the place, and where it is on the host."""
    entry = host.entry(real)
    if entry.kind is Kind.FILE:
        into = wish.place.text.endswith("/") or wish.place.path.is_dir()
        return {posixpath.basename(real) if into else "": real}
    if entry.kind is not Kind.DIRECTORY:
        raise TaskFailedError(f"{real} does not exist, or is no file and no folder")
    found = tree_below(host, real) if wish.recursive else {}
    inside = "" if wish.source.endswith("/") else posixpath.basename(real)
    regular = [name for name, one in found.items() if one.has_kind("isreg") and not wish.excludes(name)]
    return {posixpath.join(inside, name): posixpath.join(real, name) for name in regular}


def _keep_all(wish: Pull, host: HostView, names: dict[str, str]) -> bool:
    host.want(entries=names.values(), contents=names.values())
    changed = False
    for name, path in names.items():
        target = wish.place.below(name)
        there = content_there(target)
        if there == host.content(path) or (wish.existing_only and there is None):
            continue
        within = wish.place.path if name else wish.place.path.parent
        mode = host.entry(path).mode if wish.keeps_modes else None
        host.keep(path, str(target), str(within), (mode or 0o600) & 0o777)
        changed = True
    return changed
