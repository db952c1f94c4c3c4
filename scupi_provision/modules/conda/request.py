"""What a `conda_env` task asks for, from its arguments, an environment.yml or an explicit list."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from scupi_provision.host.record import TaskFailedError
from scupi_provision.modules.conda.environment_file import parse_environment
from scupi_provision.modules.conda.explicit_list import LockedPackage, parse_lock
from scupi_provision.modules.conda.specs import CondaPackage, CondaSpec, missing_specs, parse_spec
from scupi_provision.modules.contract import ControllerFile
from scupi_provision.modules.python.requirements import parse


@dataclass(frozen=True)
class Request:
    """What shall be in an environment.

    Attributes:
        specs: What the solver is asked for.
        locked: Instead of specs: exactly these packages.
        pip: Requirements for pip.
        channels: Where packages may come from, the first is preferred.
    """

    specs: tuple[CondaSpec, ...] = ()
    locked: tuple[LockedPackage, ...] = ()
    pip: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()

    @property
    def python(self) -> CondaSpec | None:
        """Which series of Python is asked for, such as `python=3.11`, if any; patches of it are changed in place."""
        locked = (one.package.version for one in self.locked if one.package.name == "python")
        asked = (spec.version for spec in self.specs if spec.name == "python")
        version = next(iter((*locked, *asked)), None)
        if not version:
            return None
        series = re.match(r"=?=?(\d+\.\d+)(?![^,|]*[,|])", version)
        return parse_spec(f"python={series[1]}" if series else f"python{version}")

    @property
    def sources(self) -> list[str]:
        """Every channel and address that packages would come from."""
        named = [spec.channel for spec in self.specs if spec.channel]
        return [*self.channels, *named, *(one.url for one in self.locked)]

    def identity(self) -> list[list[str]]:
        """All that is asked of conda, in a form to be hashed."""
        return [sorted(spec.text for spec in self.specs), [one.line for one in self.locked], list(self.channels)]

    def missing(self, have: Mapping[str, CondaPackage]) -> list[str]:
        """What of it is not there, for people."""
        if self.locked:
            return [one.package.full_name for one in self.locked if have.get(one.package.name) != one.package]
        return [spec.text for spec in missing_specs(self.specs, have)]


def with_python(python: str | None, packages: Iterable[str]) -> tuple[CondaSpec, ...]:
    """The specs of `packages`, and one of python, given as a version or as a condition on it.

    Raises:
        ValueError: One of them is no MatchSpec, or both say which python.
    """
    specs = tuple(parse_spec(text) for text in packages)
    if not python:
        return specs
    if _names_python(specs):
        raise ValueError("python is asked for twice: in python, and in packages")
    if not re.match(r"[0-9=<>!~]", python):
        raise ValueError(f"python: {python!r} is neither a version such as 3.11 nor a condition such as >=3.10,<3.13")
    return (parse_spec(f"python={python}" if re.match(r"[0-9]", python) else f"python{python}"), *specs)


def _names_python(specs: Iterable[CondaSpec]) -> bool:
    return any(spec.name == "python" for spec in specs)


def locked_request(lock: ControllerFile, pip: Iterable[str]) -> Request:
    """What an explicit list asks for.

    Raises:
        TaskFailedError: It is no such list.
    """
    request = Request(locked=parse_lock(lock.content, lock.path), pip=tuple(pip))
    if request.pip and all(one.package.name != "pip" for one in request.locked):
        raise TaskFailedError(f"{lock.path} has no pip, so packages of pip cannot be installed beside it")
    return request


def file_request(file: ControllerFile, python: str | None, pip: Iterable[str], channels: Iterable[str]) -> Request:
    """What an environment.yml asks for.

    Args:
        file: The file.
        python: For a file that does not say which Python.
        pip: More requirements.
        channels: In place of the file's; none for those.

    Raises:
        TaskFailedError: It is not such a file, or something in it is not what conda or pip would take.
    """
    asked = parse_environment(file.content, file.path)
    requirements = (*asked.pip, *pip)
    try:
        specs = with_python(None, asked.packages)
        specs = specs if _names_python(specs) else with_python(python, asked.packages)
        for text in requirements:
            parse(text)
    except ValueError as error:
        raise TaskFailedError(f"{file.path}: {error}") from None
    return plain_request(specs, requirements, tuple(channels) or asked.channels)


def plain_request(specs: Iterable[CondaSpec], pip: Iterable[str], channels: Iterable[str]) -> Request:
    """What a task asks for that names its packages itself; pip comes with what is asked of it."""
    specs, requirements = tuple(specs), tuple(pip)
    if requirements and all(spec.name != "pip" for spec in specs):
        specs = (*specs, parse_spec("pip"))
    # `nodefaults` says what always holds here: no channel is asked that is not named.
    named = tuple(channel for channel in channels if channel != "nodefaults")
    return Request(specs, pip=requirements, channels=named)
