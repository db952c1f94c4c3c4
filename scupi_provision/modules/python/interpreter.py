"""Which Python an environment has, read from the names of its files: no interpreter is started."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable

from packaging.version import Version

from scupi_provision.host.view import HostView

_RECORD = re.compile(r"python-(3\.\d+)\.\d")
_FOLDER = re.compile(r"python(3\.\d+)")


def python_of(host: HostView, environment: str) -> str:
    """The Python of a venv or conda environment, such as "3.11"; "" when there is no environment.

    Raises:
        UnknownValueError: The environment is made, or changed, by the plan in hand.
    """
    root = host.resolve(environment)
    # conda's own record says it best: folders of an earlier Python stay while they hold packages of pip.
    records, folders = f"{root}/conda-meta/python-3.*.json", f"{root}/lib/python3.*"
    host.want(names=[records, folders])
    return _newest(_RECORD, host.names(records)) or _newest(_FOLDER, host.names(folders))


def _newest(pattern: re.Pattern[str], paths: Iterable[str]) -> str:
    """The newest version that `pattern` finds in these names: conda also makes `lib/python3.1`, a link, for 3.11."""
    found = [match[1] for path in paths if (match := pattern.match(posixpath.basename(path)))]
    return max(found, key=Version, default="")
