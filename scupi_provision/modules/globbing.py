"""Paths that may be globs, as files of the host."""

from __future__ import annotations

import re
from collections.abc import Iterable
from fnmatch import fnmatchcase

from scupi_provision.host.view import HostView


def expanded(host: HostView, paths: Iterable[str]) -> list[str]:
    """The paths as they are; each glob (`*`, `?`, `[…]`) as what matches it."""
    found: list[str] = []
    for path in map(host.path, paths):
        if not set("*?[") & set(path):
            found.append(path)
            continue
        # Hosts know `*` only; the rest is told apart here.
        wider = host.names(re.sub(r"\[[^/\]]*\]|\?", "*", path))
        found += [one for one in wider if _matches(one, path)]
    return found


def _matches(path: str, pattern: str) -> bool:
    return all(fnmatchcase(part, wanted) for part, wanted in zip(path.split("/"), pattern.split("/"), strict=True))
