"""`provision init`: a site to begin with, copied from the one that comes with the package."""

from __future__ import annotations

import shutil
from pathlib import Path

from scupi_provision.errors import InputError, InternalError
from scupi_provision.playbook.site import bundled_site

PARTS = ("inventory.yaml", "playbooks", "roles", "templates")
"""What a site is made of, at the top of a checkout and in the package alike."""


def init(directory: Path) -> list[Path]:
    """Copy the bundled site into `directory`, which is made when needed; gives what was written.

    Raises:
        InputError: Something of the same name is there already (nothing is written then), or it cannot be written.
    """
    source = bundled_site()
    if source is None:
        raise InternalError("the package has no site to copy")
    in_the_way = [directory / part for part in PARTS if (directory / part).exists()]
    if in_the_way:
        raise InputError(f"{in_the_way[0]} is there already; nothing was written", hint="name an empty directory")
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for part in PARTS:
            copy = shutil.copytree if (source / part).is_dir() else shutil.copy2
            copy(source / part, directory / part)
    except OSError as error:
        raise InputError(f"{directory} cannot be written: {error.strerror}") from error
    return [directory / part for part in PARTS]
