"""Packages of conda as a lock has them: the exact list, from channels or from files that the controller has brought."""

from __future__ import annotations

import posixpath
from urllib.parse import urlsplit

from scupi_provision.host.lock import Environment, LockDriftError, LockedPackage
from scupi_provision.host.view import HostView
from scupi_provision.modules.conda.channels import UPSTREAM
from scupi_provision.modules.conda.explicit_list import parse_lock
from scupi_provision.modules.conda.place import Place
from scupi_provision.modules.conda.request import Request
from scupi_provision.modules.downloads import CACHE
from scupi_provision.modules.python.run import digest


def locked_as(host: HostView, path: str, request: Request) -> Request:
    """What the lock has for the conda environment at `path`, in place of what is asked for.

    Raises:
        TaskFailedError: There is no lock for it, or it does not fulfil what is asked for.
    """
    if host.lock is None:
        return request
    packages = host.lock.environment(path, host.home).conda
    if not packages:
        raise LockDriftError(f"the lock has no packages of conda for {path}")
    lines = [f"{UPSTREAM}/{in_channel(one.url)}#{one.sha256}" for one in packages]
    locked = parse_lock("\n".join(["@EXPLICIT", *lines]).encode(), "the lock")
    lacking = request.missing({one.package.name: one.package for one in locked})
    if lacking:
        raise LockDriftError(f"{', '.join(lacking)} is asked for in {path}")
    return Request(locked=locked, pip=request.pip, channels=request.channels)


def bring(host: HostView, path: str, place: Place) -> str:
    """The folder that the controller fills with the lock's packages; "" when conda downloads them itself."""
    if host.lock is None or host.fetch_via != "controller":
        return ""
    have = {package.full_name for package in (place.installed or {}).values()}
    packages = [one for one in host.lock.environment(path, host.home).conda if _full_name(one) not in have]
    folder = host.path(f"{CACHE}/channels-{digest([place.prefix, [one.sha256 for one in packages]])}")
    host.mkdir(CACHE, 0o700)
    for one in packages:
        file = f"{folder}/{in_channel(one.url)}"
        host.mkdir(posixpath.dirname(file), 0o700)
        host.fetch([one.url], file, one.sha256, 0o600)
    return folder


def declare(host: HostView, place: Place) -> None:
    """Say that the task rests on the environment."""
    host.declare(Environment(place.path, place.prefix))


def in_channel(url: str) -> str:
    """`channel/subdir/file` of a package, wherever its channel lives."""
    return "/".join(urlsplit(url).path.strip("/").split("/")[-3:])


def _full_name(package: LockedPackage) -> str:
    name = posixpath.basename(urlsplit(package.url).path)
    return name.removesuffix(".conda").removesuffix(".tar.bz2")
