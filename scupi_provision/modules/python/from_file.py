"""Packages of a requirements file, for `pip`."""

from __future__ import annotations

from dataclasses import dataclass

from scupi_provision.host.record import TaskFailedError
from scupi_provision.host.view import HostView
from scupi_provision.modules.python.installed import installed_in, missing_of, state_of
from scupi_provision.modules.python.requirements_file import RequirementsFile, parse_file
from scupi_provision.modules.python.run import PipRun, digest, plan_run
from scupi_provision.shell.entry import Kind
from scupi_provision.values import UnknownValueError


@dataclass(frozen=True)
class FromFile:
    """What to install, and how.

    Attributes:
        path: The requirements file, on the host.
        options: More options of `pip install`.
        places: Where pip looks, each as `pip_places` has it.
        latest: Upgrade what is there.
        hashed: Every package must have a hash.
    """

    path: str
    options: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    latest: bool = False
    hashed: bool = False


def plan_file(host: HostView, environment: str, source: FromFile) -> bool:
    """Plan a run of pip unless this content was installed and what it names is there; whether there is one.

    Raises:
        TaskFailedError: There is no such file, or a package in it has no hash although it should.
    """
    path = host.resolve(source.path)
    told, content_digest = _read(host, path)
    if source.hashed:
        _refuse_unhashed(path, told)
    have = installed_in(host, environment)
    stamp = f"requirements-{digest([content_digest, source.options, source.places])}"
    missing = missing_of(host, told.requirements, have)
    if not missing and _is_stamped(host, environment, stamp) and not source.latest:
        return False
    arguments = ["install", *source.options, *(["--upgrade"] if source.latest else []), "--requirement", path]
    summary = f"install what {path} names" + (f" ({', '.join(missing)})" if have and missing else "")
    plan_run(host, PipRun(environment, arguments, state_of(have), summary, source.places, stamp))
    return True


def required_by(host: HostView, path: str) -> tuple[str, ...]:
    """What a requirements file names.

    Raises:
        TaskFailedError: There is no such file.
    """
    return tuple(_read(host, path)[0].requirements)


def _read(host: HostView, path: str) -> tuple[RequirementsFile, str]:
    entry = host.entry(path)
    if entry.kind is not Kind.FILE:
        raise TaskFailedError(f"{path} does not exist, or is not a file")
    if entry.digest is None:
        raise UnknownValueError(f"the content of {path}")
    return parse_file(host.content(path).decode("utf-8", "replace")), entry.digest


def _refuse_unhashed(path: str, told: RequirementsFile) -> None:
    bare = [*told.unhashed, *told.others]
    if bare:
        raise TaskFailedError(
            f"{path} is to be installed by hashes only, and has none for {', '.join(bare)};"
            " make it with `pip-compile --generate-hashes`, `uv pip compile --generate-hashes` or `pip hash`"
        )


def _is_stamped(host: HostView, environment: str, stamp: str) -> bool:
    try:
        return host.entry(f"{environment}/.provision/{stamp}").exists
    except UnknownValueError:
        return False
