"""conda-meta/history: what was asked for and what came of it, in conda's own form."""

from __future__ import annotations

import ast
import re
import sys
import time
from pathlib import Path

from rattler import MatchSpec

from . import CONDA_VERSION

_SPECS = re.compile(r"# (update|remove|neutered) specs: (\[.*\])")


def requested(prefix: Path) -> dict[str, str]:
    """The specs that were asked for and not taken back, by package name."""
    specs: dict[str, str] = {}
    history = prefix / "conda-meta/history"
    for line in history.read_text(encoding="utf-8").splitlines() if history.is_file() else ():
        match = _SPECS.fullmatch(line)
        for spec in ast.literal_eval(match[2]) if match else ():
            name = package_name(spec)
            if match and match[1] == "remove":
                specs.pop(name, None)
            else:
                specs[name] = spec
    return specs


def package_name(spec: str) -> str:
    """The name of the package that a MatchSpec is about."""
    name = MatchSpec(spec).name
    return name.normalized if name is not None and hasattr(name, "normalized") else str(name)


def note(prefix: Path, action: str, specs: list[str], removed: list[str], added: list[str]) -> None:
    """Append a revision.

    Args:
        prefix: The environment.
        action: "update" or "remove".
        specs: What was asked.
        removed: Distributions that went, as channel/subdir::name-version-build.
        added: Those that came.
    """
    lines = [
        time.strftime("==> %Y-%m-%d %H:%M:%S <=="),
        f"# cmd: {' '.join(sys.argv)}",
        f"# conda version: {CONDA_VERSION}",
        *(f"-{name}" for name in sorted(removed)),
        *(f"+{name}" for name in sorted(added)),
        *([f"# {action} specs: {specs!r}"] if specs else []),
    ]
    with (prefix / "conda-meta/history").open("a", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
