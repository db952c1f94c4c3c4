"""Packages of pip as a lock has them: each file fetched by its hash, then installed with no index to ask."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from packaging.utils import canonicalize_name

from scupi_provision.host.lock import Environment, LockDriftError, LockedEnvironment, LockedPackage
from scupi_provision.host.view import HostView
from scupi_provision.modules.downloads import CACHE, file_name
from scupi_provision.modules.python.installed import installed_in, missing_of, state_of
from scupi_provision.modules.python.requirements import Installed
from scupi_provision.modules.python.run import PipRun, digest, plan_run


@dataclass(frozen=True)
class LockedPip:
    """An environment to fill.

    Attributes:
        path: Where it appears.
        prefix: Where it really is.
        wanted: Requirements of the task; the lock has to fulfil them.
    """

    path: str
    prefix: str
    wanted: Sequence[str]


def plan_locked(host: HostView, call: LockedPip) -> bool:
    """Plan that the environment has every package of the lock in its version; whether pip has to run.

    The first task that is about an environment brings all of it: which package is there for which task, a lock does not
    say.

    Raises:
        TaskFailedError: The lock does not have what the task asks for.
    """
    if host.lock is None:
        raise LockDriftError("there is no lock")
    locked = host.lock.environment(call.path, host.home)
    lacking = missing_of(host, call.wanted, Installed(dict(locked.versions), locked.python))
    if lacking:
        raise LockDriftError(
            f"{', '.join(lacking)} is asked for in {call.path}, the lock has {_shown(locked, lacking)}"
        )
    environment = Environment(call.path, call.prefix)
    if environment in host.declared:
        return False
    host.declare(environment)
    have = installed_in(host, call.prefix)
    missing = [
        one for one in locked.pip if have is None or have.versions.get(canonicalize_name(one.name)) != one.version
    ]
    if missing:
        _install(host, call.prefix, missing, have)
    return bool(missing)


def _shown(locked: LockedEnvironment, lacking: Sequence[str]) -> str:
    names = [name for name in sorted(locked.versions) if any(text.lower().startswith(name) for text in lacking)]
    return ", ".join(f"{name} {locked.versions[name]}" for name in names) or "no such package"


def _install(host: HostView, prefix: str, packages: Sequence[LockedPackage], have: Installed | None) -> None:
    folder = host.path(f"{CACHE}/packages-{digest([prefix, [one.sha256 for one in packages]])}")
    host.mkdir(CACHE, 0o700)
    host.mkdir(folder, 0o700)
    for one in packages:
        host.fetch([one.url], f"{folder}/{file_name(one.url)}", one.sha256, 0o600)
    lines = "".join(f"{one.name}=={one.version} --hash=sha256:{one.sha256}  # {one.url}\n" for one in packages)
    plan_run(
        host,
        PipRun(
            prefix,
            ["install", "--no-deps", "--require-hashes"],
            state_of(have),
            f"install {len(packages)} packages as locked",
            (f"find-links:{folder}",),
            requirements=lines,
            spent=folder,
        ),
    )
