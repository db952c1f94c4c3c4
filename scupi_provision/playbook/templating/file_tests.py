"""Tests on files of this machine and on addresses; use the module stat for a host."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from scupi_provision.playbook.templating.failures import TemplateFailure


def _path(value: Any) -> Path:
    return Path(str(value)).expanduser()


def _test(check: Callable[[Path], bool]) -> Callable[[Any], bool]:
    return lambda value: check(_path(value))


def same_file(first: Any, second: Any) -> bool:
    """Whether two paths lead to one file."""
    try:
        return _path(first).samefile(_path(second))
    except OSError as error:
        raise TemplateFailure(f"same_file: {error}") from None


def is_uri(value: Any, schemes: Iterable[str] | None = None) -> bool:
    """Whether `value` begins with a scheme (one of `schemes`) and says more."""
    try:
        found = urlsplit(str(value))
    except ValueError:
        return False
    allowed = schemes is None or found.scheme in schemes
    return bool(found.scheme) and allowed and bool(found.netloc or found.path or found.query)


def is_url(value: Any, schemes: Iterable[str] | None = None) -> bool:
    """Whether `value` is a URI with a host (or of a local file)."""
    if not is_uri(value, schemes):
        return False
    found = urlsplit(str(value))
    return bool(found.netloc) or found.scheme == "file"


TESTS: dict[str, Callable[..., bool]] = {
    "exists": _test(Path.exists),
    **dict.fromkeys(("file", "is_file"), _test(Path.is_file)),
    **dict.fromkeys(("directory", "is_dir"), _test(Path.is_dir)),
    **dict.fromkeys(("link", "is_link"), _test(Path.is_symlink)),
    "link_exists": lambda value: os.path.lexists(_path(value)),
    **dict.fromkeys(("mount", "is_mount"), lambda value: os.path.ismount(_path(value))),
    **dict.fromkeys(("abs", "is_abs"), _test(Path.is_absolute)),
    **dict.fromkeys(("same_file", "is_same_file"), same_file),
    "uri": is_uri,
    "url": is_url,
    "urn": lambda value: is_uri(value, ("urn",)),
}
