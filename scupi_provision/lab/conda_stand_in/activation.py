"""The shell text that activates and deactivates environments: what `conda shell.posix …` prints."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path

from .errors import CondaError
from .places import environment, root_prefix


def shell_text(arguments: list[str], variables: Mapping[str, str] = os.environ) -> str:
    """The text for `eval`.

    Args:
        arguments: "activate" with at most one environment, or "deactivate" or "reactivate".
        variables: Those of the calling shell.

    Raises:
        CondaError: There is no such environment, or the words are not understood.
    """
    match arguments:
        case ["activate", *names] if len(names) <= 1:
            return "\n".join(_activate(environment(names[0] if names else "base"), variables))
        case ["deactivate"]:
            return "\n".join(_deactivate(variables))
        case ["reactivate"] if prefix := variables.get("CONDA_PREFIX"):
            return "\n".join(_scripts(Path(prefix), "activate"))
        case ["reactivate"]:
            return ""
        case _:
            raise CondaError("ArgumentError", f"cannot {' '.join(arguments)}")


def _activate(prefix: Path, variables: Mapping[str, str]) -> Iterator[str]:
    level = int(variables.get("CONDA_SHLVL") or 0)
    before = variables.get("CONDA_PREFIX", "")
    if before:
        yield from _scripts(Path(before), "deactivate")
    if before != str(prefix):
        yield _export(f"CONDA_PREFIX_{level}", before) if before else ""
        level += 1
    path = [part for part in _path(variables) if part != f"{before}/bin"]
    yield from _enter(prefix, path, level, variables)


def _deactivate(variables: Mapping[str, str]) -> Iterator[str]:
    before = variables.get("CONDA_PREFIX", "")
    if not before:
        return
    yield from _scripts(Path(before), "deactivate")
    level = int(variables.get("CONDA_SHLVL") or 1) - 1
    path = [part for part in _path(variables) if part != f"{before}/bin"]
    outer = variables.get(f"CONDA_PREFIX_{level}", "")
    if outer:
        yield f"unset CONDA_PREFIX_{level}"
        yield from _enter(Path(outer), path, level, variables)
        return
    yield "unset CONDA_PREFIX CONDA_DEFAULT_ENV CONDA_PROMPT_MODIFIER"
    yield _export("PATH", ":".join(path))
    yield _export("CONDA_SHLVL", str(level))
    yield _prompt("", variables)


def _enter(prefix: Path, path: list[str], level: int, variables: Mapping[str, str]) -> Iterator[str]:
    name = _name(prefix)
    yield _export("PATH", ":".join([f"{prefix}/bin", *path]))
    yield _export("CONDA_PREFIX", str(prefix))
    yield _export("CONDA_SHLVL", str(level))
    yield _export("CONDA_DEFAULT_ENV", name)
    yield _export("CONDA_PROMPT_MODIFIER", f"({name}) ")
    yield _prompt(f"({name}) ", variables)
    yield from _scripts(prefix, "activate")


def _name(prefix: Path) -> str:
    if prefix == root_prefix():
        return "base"
    return prefix.name if prefix.parent.name == "envs" else str(prefix)


def _path(variables: Mapping[str, str]) -> list[str]:
    return [part for part in variables.get("PATH", "").split(":") if part]


def _prompt(modifier: str, variables: Mapping[str, str]) -> str:
    prompt = variables.get("PS1", "").removeprefix(variables.get("CONDA_PROMPT_MODIFIER", ""))
    return f"PS1={shlex.quote(modifier + prompt)}"


def _export(name: str, value: str) -> str:
    return f"export {name}={shlex.quote(value)}"


def _scripts(prefix: Path, kind: str) -> Iterator[str]:
    for script in sorted((prefix / f"etc/conda/{kind}.d").glob("*.sh")):
        yield f". {shlex.quote(str(script))}"
