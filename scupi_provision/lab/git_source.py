"""The source tarball of git."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from scupi_provision.errors import ProvisionError
from scupi_provision.lab.tarball_source import Release, SourceTarball, tarball

GIT_VERSION = "2.51.0"
_RELEASE = Release(
    project="git",
    version=GIT_VERSION,
    url=f"https://www.kernel.org/pub/software/scm/git/git-{GIT_VERSION}.tar.xz",
    sha256="60a7c2251cc2e588d5cd87bae567260617c6de0c22dca9cdbfc4c7d2b8990b62",
    package="git",
    folder="git-{version}",
)


def git_source(cache: Path, progress: Callable[[str], None]) -> SourceTarball:
    """The tarball from `cache`, fetched first when it is not there.

    Raises:
        ProvisionError: It can be had neither from upstream nor from the distribution.
    """
    attempts: list[str] = []
    source = tarball(_RELEASE, cache, progress, attempts)
    if source is None:
        raise ProvisionError(
            "the lab's mirror needs the source tarball of git, and it cannot be had",
            detail="\n".join(attempts),
            hint="connect to the internet once; the tarball is kept in the cache after that",
        )
    return source
