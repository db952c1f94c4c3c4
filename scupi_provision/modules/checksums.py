"""Sums of files that modules register: Ansible's are SHA-1 unless it is told otherwise, hosts are read with SHA-256."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any, Literal

from scupi_provision.host.inspecting import UntoldError
from scupi_provision.host.record import TaskFailedError
from scupi_provision.host.view import HostView
from scupi_provision.shell.entry import Kind
from scupi_provision.values import UnknownValue, UnknownValueError

Algorithm = Literal["md5", "sha1", "sha224", "sha256", "sha384", "sha512"]
"""What `checksum_algorithm` may be in Ansible; all of them are in Python, and on hosts as `…sum`."""


def sum_of(content: bytes, algorithm: str = "sha1") -> str:
    """The sum of content that is at hand."""
    return hashlib.new(algorithm, content, usedforsecurity=False).hexdigest()


def sum_on_host(host: HostView, path: str, algorithm: str = "sha1") -> str | None:
    """The sum of the regular file at `path`; None when it cannot be read.

    Raises:
        TaskFailedError: The host has no program for it.
        UnknownValueError: The plan changes the file without having its content at hand.
    """
    path = host.path(path)
    entry = host.entry(path)
    if entry.kind is not Kind.FILE or entry.digest is None or algorithm == "sha256":
        return entry.digest
    content = host.content_at_hand(path)
    if content is not None:
        return sum_of(content, algorithm)
    told = host.inspect("sum", algorithm, path, roots=(path,)).decode("ascii", "replace").strip()
    if not told:
        raise TaskFailedError(f"{algorithm}sum is not on this host; checksum_algorithm: sha256 always works")
    return told


def told_or_unknown(host: HostView, tell: Callable[[], Any]) -> Any:
    """What `tell` tells; in a check, where an earlier task has to be done first, an UnknownValue.

    Raises:
        UnknownValueError: The same in an apply, which waits for that task.
    """
    try:
        return tell()
    except UnknownValueError as error:
        if not (host.check_mode or isinstance(error, UntoldError)):
            raise
        return UnknownValue(error.reason)
