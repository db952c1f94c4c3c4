"""`environment.yml`, as `conda env create` takes it: channels, conda packages, and packages of pip."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from scupi_provision.errors import InputError
from scupi_provision.host.record import TaskFailedError
from scupi_provision.source import raw, read_text, suggestion

_IGNORED = frozenset({"name", "prefix"})
_KNOWN = frozenset({"channels", "dependencies"})


@dataclass(frozen=True)
class EnvironmentFile:
    """What an `environment.yml` asks for."""

    channels: tuple[str, ...]
    packages: tuple[str, ...]
    pip: tuple[str, ...]


def parse_environment(content: bytes, name: str) -> EnvironmentFile:
    """The file's content; `name` and `prefix` in it are left to the task.

    Raises:
        TaskFailedError: It is not such a file, or asks for what is not supported.
    """
    try:
        value = raw(read_text(content.decode("utf-8"), name))
    except UnicodeDecodeError:
        raise TaskFailedError(f"{name} is not UTF-8 text") from None
    except InputError as error:
        raise TaskFailedError(str(error)) from None
    if not isinstance(value, dict):
        raise TaskFailedError(f"{name}: channels and dependencies are expected")
    for key in value:
        if key not in _KNOWN | _IGNORED:
            raise TaskFailedError(f"{name}: `{key}` is not supported{_hint(str(key))}")
    packages, pip = _dependencies(value.get("dependencies"), name)
    return EnvironmentFile(tuple(_texts(value.get("channels"), f"{name}: channels")), tuple(packages), tuple(pip))


def _hint(key: str) -> str:
    if key == "variables":
        return "; set them by a task (module shell_init)"
    close = suggestion(key, _KNOWN)
    return f"; {close}" if close else ""


def _dependencies(value: Any, name: str) -> tuple[list[str], list[str]]:
    packages: list[str] = []
    pip: list[str] = []
    if value is not None and not isinstance(value, list):
        raise TaskFailedError(f"{name}: dependencies must be a list")
    for item in value or []:
        if isinstance(item, str):
            packages.append(str(item))
        elif isinstance(item, dict) and list(item) == ["pip"]:
            pip.extend(_texts(item["pip"], f"{name}: pip"))
        else:
            raise TaskFailedError(f"{name}: in dependencies stand packages, and at most one list under `pip:`")
    for requirement in pip:
        if requirement.startswith("-"):
            raise TaskFailedError(f"{name}: {requirement}: options of pip are not taken from the file")
    return packages, pip


def _texts(value: Any, what: str) -> Iterator[str]:
    if value is not None and not isinstance(value, list):
        raise TaskFailedError(f"{what} must be a list")
    for item in value or []:
        if not isinstance(item, str):
            raise TaskFailedError(f"{what} must be a list of texts")
        yield str(item)
