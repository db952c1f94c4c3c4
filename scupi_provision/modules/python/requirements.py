"""Requirements (PEP 508) against what is installed, judged from file names alone: no Python is started."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

_INFO = re.compile(r"/lib(?:64)?/python(?P<python>[0-9.]+)/site-packages/(?P<name>.+)-(?P<version>[^-]+)\.dist-info$")


@dataclass(frozen=True)
class Installed:
    """What a virtual environment holds.

    Attributes:
        versions: By normalised name.
        python: Its Python, such as "3.11"; "" when that cannot be told.
    """

    versions: Mapping[str, str]
    python: str = ""


def installed(paths: Iterable[str]) -> Installed:
    """What these `*.dist-info` folders say."""
    found = [match for path in sorted(paths) if (match := _INFO.search(posixpath.normpath(path)))]
    versions: dict[str, str] = {canonicalize_name(match["name"]): match["version"] for match in found}
    return Installed(versions, found[0]["python"] if found else "")


def parse(text: str) -> Requirement:
    """One requirement.

    Raises:
        ValueError: It is not one by PEP 508.
    """
    try:
        return Requirement(text)
    except InvalidRequirement as error:
        problem = str(error).splitlines()[0]
        raise ValueError(f"{text!r} is not a requirement such as `torch==2.13.0`: {problem}") from None


def split_names(text: str) -> list[str]:
    """`"a>=1,<2, b[x,y]"` as `["a>=1,<2", "b[x,y]"]`: a comma also stands inside one requirement."""
    parts: list[str] = []
    for piece in text.split(","):
        inside = parts and (parts[-1].count("[") > parts[-1].count("]") or re.match(r"\s*[<>=!~]", piece))
        if inside:
            parts[-1] += f",{piece}"
        elif piece.strip():
            parts.append(piece.strip())
    return parts


def applies(wanted: Requirement, python: str, machine: str) -> bool:
    """Whether the requirement's marker holds in that Python on that machine (always Linux)."""
    if wanted.marker is None or not python:
        return True
    environment = {
        "python_version": python,
        "python_full_version": f"{python}.0",
        "sys_platform": "linux",
        "os_name": "posix",
        "platform_system": "Linux",
        "platform_machine": machine,
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
    }
    return wanted.marker.evaluate(environment)


def is_satisfied(wanted: Requirement, have: Installed) -> bool:
    """Whether the package is there in a version that fits. `==2.13.0` is satisfied by 2.13.0+cpu, as for pip.

    Extras are not looked into: they are installed together with the package.
    """
    text = have.versions.get(canonicalize_name(wanted.name))
    if text is None:
        return False
    try:
        return wanted.specifier.contains(Version(text), prereleases=True)
    except InvalidVersion:
        return not wanted.specifier


def is_older(now: str, then: str) -> bool:
    """Whether the version `now` is older than `then`; none at all is older than any, and none then is no demand."""
    if not then or now == then:
        return False
    try:
        return not now or Version(now) < Version(then)
    except InvalidVersion:
        return True
