"""Where a site's files are: playbooks by name, folders of roles and templates, and the site inside the package."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import scupi_provision
from scupi_provision.errors import InputError
from scupi_provision.source import suggestion


@lru_cache(maxsize=1)
def bundled_site() -> Path | None:
    """The folder with the playbooks, roles and templates that come with the package; None when it has none.

    An installed wheel has them inside the package; a source checkout has them beside it.
    """
    package = Path(scupi_provision.__file__).resolve().parent
    for folder in (package / "site", package.parent):
        if (folder / "roles").is_dir() and (folder / "playbooks").is_dir():
            return folder
    return None


def site_folders(playbook_dir: Path) -> tuple[Path, ...]:
    """The folders in which `roles/`, `templates/` and `files/` may stand, nearest first.

    Beside the playbook, and beside the folder `playbooks/` when it stands in one.
    """
    if playbook_dir.resolve().name == "playbooks":
        return (playbook_dir, playbook_dir.parent if playbook_dir.name == "playbooks" else playbook_dir / "..")
    return (playbook_dir,)


def find_site(argument: str, cwd: Path) -> Path:
    """The playbook that `argument` names: as it is, then in `playbooks/`, then among those of the package.

    Raises:
        InputError: There is none; the error lists every place.
    """
    given = Path(argument).expanduser()
    places = list(_playbook_places(given, cwd))
    for place in places:
        if place.is_file():
            return place
    if places[0].is_dir():
        raise InputError(f"{argument} is a folder; name a playbook in it", hint=_listing(places[0]))
    detail = "Searched:\n" + "\n".join(f"  {place}" for place in places)
    names = [file.name for place in places if place.parent.is_dir() for file in place.parent.glob("*.y*ml")]
    hint = suggestion(given.name, names) or "`provision init DIR` makes a site to begin with"
    raise InputError(f'there is no playbook "{argument}"', detail=detail, hint=hint)


def _playbook_places(given: Path, cwd: Path) -> Iterator[Path]:
    yield given if given.is_absolute() else cwd / given
    if given.is_absolute():
        return
    yield cwd / "playbooks" / given
    bundled = bundled_site()
    if bundled is not None and bundled.resolve() != cwd.resolve():
        yield bundled / "playbooks" / given


def _listing(folder: Path) -> str:
    names = sorted(file.name for file in folder.glob("*.y*ml"))
    return f"it holds {', '.join(names)}" if names else ""
