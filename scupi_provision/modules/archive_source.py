"""Where the archive of `unarchive` is: on this computer, on the host, or behind a URL."""

from __future__ import annotations

import hashlib
import posixpath

from scupi_provision.host.record import TaskFailedError
from scupi_provision.host.view import HostView
from scupi_provision.modules.archive_names import format_of
from scupi_provision.modules.contract import ControllerFile, ControllerTree
from scupi_provision.modules.downloads import CACHE, file_name
from scupi_provision.shell.entry import Kind
from scupi_provision.values import UnknownValueError

Source = str | ControllerFile | ControllerTree
"""The argument `src`."""


def archive_format(source: Source) -> str:
    """The format that the archive's name tells, as `archive_names.format_of` has it."""
    return format_of(_name(source))


def download(source: Source, host: HostView) -> None:
    """Have what a URL names on the host; what was fetched from there once is not fetched again."""
    if not isinstance(source, str) or "://" not in source:
        return
    path = _kept(source)
    if not host.entry(path).exists:
        host.mkdir(CACHE, 0o700)
        host.fetch([source], path, None, 0o600)


def digest(source: Source, host: HostView) -> str:
    """What tells this archive from others: the SHA-256 of its content, or of its URL before it has been fetched."""
    if isinstance(source, ControllerFile):
        return hashlib.sha256(source.content).hexdigest()
    if not isinstance(source, str):
        raise TaskFailedError("src is a folder; an archive is one file")
    entry = host.entry(_on_host(source), follow=True)
    if entry.kind is not Kind.FILE:
        raise TaskFailedError(f"Source '{host.path(_on_host(source))}' does not exist, or is not a file")
    if entry.digest is None:
        if "://" in source:
            return hashlib.sha256(source.encode()).hexdigest()
        raise UnknownValueError(f"the content of {source}")
    return entry.digest


def place(source: Source, host: HostView, digest: str) -> str:
    """Where the archive is on the host, or will be."""
    if isinstance(source, ControllerFile):
        return host.path(f"{CACHE}/{digest[:16]}-{posixpath.basename(_name(source))}")
    return host.resolve(_on_host(str(source)))


def bring(source: Source, host: HostView, digest: str) -> str:
    """Have the archive on the host; where it is."""
    path = place(source, host, digest)
    if isinstance(source, ControllerFile):
        host.mkdir(CACHE, 0o700)
        host.write(path, source.content, 0o600)
    return path


def _name(source: Source) -> str:
    return source.path if isinstance(source, ControllerFile) else str(source)


def _kept(url: str) -> str:
    return f"{CACHE}/{hashlib.sha256(url.encode()).hexdigest()[:16]}-{file_name(url)}"


def _on_host(source: str) -> str:
    return _kept(source) if "://" in source else source
