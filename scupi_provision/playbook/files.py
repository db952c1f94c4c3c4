"""Files of the controller that tasks name: `copy: src=…`, `template: src=…`, lookups."""

from __future__ import annotations

from pathlib import Path

from scupi_provision.playbook.models import Role
from scupi_provision.playbook.site import bundled_site, site_folders


def search_folders(role: Role | None, task_file: Path, playbook_dir: Path) -> tuple[Path, ...]:
    """The folders in which a task's files are searched, first match wins.

    In each, the folder for their kind (`templates/`, `files/`) comes before the folder itself: the role, the file of
    tasks, the site, the site that comes with the package.
    """
    bundled = bundled_site()
    # The roles that depend on a role come after it, the nearest first.
    own = (role.directory, *(one.directory for one in reversed(role.parents))) if role is not None else ()
    shared = (bundled,) if bundled is not None else ()
    return tuple(dict.fromkeys((*own, task_file.parent, *site_folders(playbook_dir), *shared)))


def candidates(name: str, kind: str, folders: tuple[Path, ...]) -> list[Path]:
    """Every place where the file `name` may be; `kind` is `templates` or `files`."""
    path = Path(name).expanduser()
    if path.is_absolute():
        return [path]
    return [place for folder in folders for place in (folder / kind / path, folder / path)]


def find_file(name: str, kind: str, folders: tuple[Path, ...]) -> Path | None:
    """The file (or folder) called `name`, or None when there is none in `candidates`."""
    return next((place for place in candidates(name, kind, folders) if place.exists()), None)
