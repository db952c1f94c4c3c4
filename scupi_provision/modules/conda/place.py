"""Where a conda environment is, whose it is, and what is in it."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from typing import Any

from scupi_provision.host.record import TaskFailedError
from scupi_provision.host.view import HostView
from scupi_provision.modules import store
from scupi_provision.modules.conda.request import Request
from scupi_provision.modules.conda.specs import CondaPackage, CondaSpec, installed_packages
from scupi_provision.shell.entry import ABSENT, Entry, Kind
from scupi_provision.values import UnknownValueError


@dataclass(frozen=True)
class Place:
    """An environment on a host.

    Attributes:
        path: Where it appears.
        prefix: Where it really is, or will be.
        fresh: Whether it has to be made.
        theirs: Whether somebody else made it.
        inputs: What it is made from, for `.ok`.
        installed: By name; None when a program of this plan changes it.
        recorded: Names of what our last run has left in it; None when that is not known.
    """

    path: str
    prefix: str
    fresh: bool
    theirs: bool
    inputs: dict[str, Any]
    installed: dict[str, CondaPackage] | None
    recorded: frozenset[str] | None = None


def find_place(host: HostView, text: str, request: Request, *, exact: bool) -> Place:
    """The environment at `text`, or where it has to be made.

    Its name in the store holds a hash over where it appears and the Python that is asked for: everything else is
    changed in place. With `exact` it holds all that is asked for.
    """
    path = host.path(text)
    python = request.python
    inputs: dict[str, Any] = {"format": 1, "path": path, "python": python.text if python else ""}
    if exact:
        inputs["asked"] = request.identity()
    prefix = host.path(f"{store.STORE}/{store.key(f'conda-{posixpath.basename(path)}', inputs)}")
    now = _entry(host, path)
    ours = host.path(store.STORE) + "/conda-"
    is_link_of_ours = now.kind is Kind.LINK and (now.target or "").startswith(ours)
    if now.exists and not is_link_of_ours:
        return _theirs(host, path, now, inputs)
    if is_link_of_ours and not exact and now.target != prefix:
        there = _ours(host, path, now.target or "", inputs)
        if not there.fresh and _has_python(there, python):
            return there
    return _ours(host, path, prefix, inputs)


def _has_python(place: Place, python: CondaSpec | None) -> bool:
    if python is None or place.installed is None:
        return True
    return "python" in place.installed and python.allows(place.installed["python"])


def _entry(host: HostView, path: str) -> Entry:
    try:
        host.want(entries=[path, posixpath.dirname(path)])
        return host.entry(path)
    except UnknownValueError:
        # conda itself is only made by this plan, and its folder `envs` with it. The link's guard looks once more.
        host.record.plan(path, ABSENT)
        return ABSENT


def _theirs(host: HostView, path: str, now: Entry, inputs: dict[str, Any]) -> Place:
    prefix = host.resolve(path)
    host.want(entries=[f"{prefix}/conda-meta/history"], names=[f"{prefix}/conda-meta/*.json"])
    if host.entry(f"{prefix}/conda-meta/history").kind is not Kind.FILE:
        what = f"a link to {now.target}" if now.kind is Kind.LINK else "something that is no conda environment"
        raise TaskFailedError(f"{path} is {what}; it is not ours to replace. Move it away, or choose another path")
    return Place(path, prefix, fresh=False, theirs=True, inputs=inputs, installed=_installed(host, prefix))


def _ours(host: HostView, path: str, prefix: str, inputs: dict[str, Any]) -> Place:
    mark, record = f"{prefix}/.ok", f"{prefix}/.provision/packages"
    try:
        host.want(entries=[mark], contents=[record], names=[f"{prefix}/conda-meta/*.json"])
        fresh = host.entry(mark).kind is not Kind.FILE
    except UnknownValueError:
        return Place(path, prefix, fresh=False, theirs=False, inputs=inputs, installed=None)
    if fresh:
        return Place(path, prefix, fresh=True, theirs=False, inputs=inputs, installed=None)
    names = host.content(record).decode("utf-8", "replace").split()
    recorded = frozenset(installed_packages(names)) if names else None
    return Place(
        path, prefix, fresh=False, theirs=False, inputs=inputs, installed=_installed(host, prefix), recorded=recorded
    )


def _installed(host: HostView, prefix: str) -> dict[str, CondaPackage] | None:
    try:
        return installed_packages(host.names(f"{prefix}/conda-meta/*.json"))
    except UnknownValueError:
        return None
