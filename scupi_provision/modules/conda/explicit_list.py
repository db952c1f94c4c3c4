"""An explicit list of conda packages (`conda list --explicit --sha256`): each by its address and its hash."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass

from scupi_provision.host.record import TaskFailedError
from scupi_provision.modules.conda.specs import CondaPackage, package_of

_LINE = re.compile(r"(?P<url>[a-z]+://[^\s#]+\.(?:conda|tar\.bz2))#(?:[0-9a-f]{32}|(?:sha256:)?[0-9a-f]{64})")
_ARCHIVE = re.compile(r"\.(?:conda|tar\.bz2)$")


@dataclass(frozen=True)
class LockedPackage:
    """One line of the list, and the package that it names."""

    line: str
    url: str
    package: CondaPackage


def parse_lock(content: bytes, name: str) -> tuple[LockedPackage, ...]:
    """The packages of a list.

    Raises:
        TaskFailedError: It is no such list, or a package has no hash; `name` is the file that it is.
    """
    lines = content.decode("utf-8", "replace").splitlines()
    kept = [(number, line.strip()) for number, line in enumerate(lines, 1) if line.strip() and line.lstrip()[0] != "#"]
    if not kept or kept[0][1] != "@EXPLICIT":
        raise TaskFailedError(f"{name} is no explicit list: @EXPLICIT is missing (conda list --explicit --sha256)")
    found = tuple(_package(line, f"{name}:{number}") for number, line in kept[1:])
    if not found:
        raise TaskFailedError(f"{name} names no package")
    names = [locked.package.name for locked in found]
    if len(set(names)) < len(names):
        twice = next(one for one in names if names.count(one) > 1)
        raise TaskFailedError(f"{name} names {twice} more than once")
    return found


def _package(line: str, where: str) -> LockedPackage:
    match = _LINE.fullmatch(line)
    package = package_of(_ARCHIVE.sub("", posixpath.basename(match["url"]))) if match else None
    if match is None or package is None:
        raise TaskFailedError(
            f"{where}: {line!r} is not the address of a package with its hash"
            " (conda list --explicit --sha256 writes such lines)"
        )
    return LockedPackage(line, match["url"], package)
