"""Where a file of the host goes on the controller, and what is there now."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scupi_provision.host.record import TaskFailedError
from scupi_provision.modules.contract import Lookup


@dataclass(frozen=True)
class ControllerPlace:
    """A folder or file of the controller that a module may write to.

    Attributes:
        text: As the playbook names it; a final `/` means a folder.
        base: The folder that relative names are below.
        host: The host's name, of which non-flat copies have a folder each.
    """

    text: str
    base: str
    host: str

    @property
    def path(self) -> Path:
        """The place itself, absolute; links in it are not followed."""
        return Path(os.path.normpath(Path(self.base, Path(self.text).expanduser())))

    def below(self, *parts: str) -> Path:
        """A path below it.

        Raises:
            TaskFailedError: The parts lead out of it.
        """
        made = Path(os.path.normpath(self.path.joinpath(*(part.lstrip("/") for part in parts))))
        if made != self.path and self.path not in made.parents:
            raise TaskFailedError(f"Detected directory traversal: {'/'.join(parts)} is not below {self.path}")
        return made


def place_of(name: str, values: dict[str, Any], lookup: Lookup) -> dict[str, Any]:
    """The arguments with `name` as a ControllerPlace."""
    if name not in values:
        return values
    base, host = str(lookup("playbook_dir", ".")), str(lookup("inventory_hostname", ""))
    return {**values, name: ControllerPlace(str(values[name]), base, host)}


def content_there(path: Path) -> bytes | None:
    """What the controller's file holds; None when there is none."""
    return path.read_bytes() if path.is_file() else None
