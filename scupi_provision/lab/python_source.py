"""The source tarball of CPython, in the version of the interpreter under ours, for which the mirror has wheels."""

from __future__ import annotations

import platform
import sys
import time
from collections.abc import Callable
from pathlib import Path

from scupi_provision.lab.state import write_atomically
from scupi_provision.lab.tarball_source import Release, SourceTarball, tarball

_RETRY_AFTER_S = 24 * 3600


def python_source(cache: Path, progress: Callable[[str], None]) -> SourceTarball | None:
    """The tarball from `cache`, fetched first when it is not there.

    Its major and minor version are ours, the rest may be the distribution's. Which release that is depends on the
    interpreter, so no hash can be known beforehand: the mirror states the hash of what came over https or through apt.

    Returns:
        None where it cannot be had: only Python from source needs it. The next try is a day later, so that a closed
        network does not delay every start of the lab.
    """
    series = f"{sys.version_info.major}.{sys.version_info.minor}"
    folder = cache / series
    refused = folder / "refused"
    if refused.exists() and time.time() - refused.stat().st_mtime < _RETRY_AFTER_S:
        return None
    version = platform.python_version()
    release = Release(
        project="CPython",
        version=version,
        url=f"https://www.python.org/ftp/python/{version}/Python-{version}.tar.xz",
        sha256="",
        package=f"python{series}",
        folder="Python-{version}",
    )
    attempts: list[str] = []
    source = tarball(release, folder, progress, attempts)
    if source is None:
        write_atomically(refused, "\n".join(attempts) + "\n")
        progress(f"the source of CPython {series} cannot be had: the lab comes up without it")
    return source
