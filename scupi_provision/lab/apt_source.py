"""The source tarball of a Debian or Ubuntu package, with an apt state of its own: no root, the system untouched."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from scupi_provision.lab.controller import Ran, run_here

_SYSTEM_LIST = Path("/etc/apt/sources.list")
_SYSTEM_PARTS = Path("/etc/apt/sources.list.d")
_UPDATE_TIMEOUT_S = 180
_FETCH_TIMEOUT_S = 180

# Hooks of the system (docker-clean and its like) would delete or refresh the system's own caches.
_CONFIGURATION = """\
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
Dir::State "{state}";
Dir::State::status "{state}/status";
Dir::Cache "{cache}";
Dir::Etc::sourcelist "{sources}/provision.list";
Dir::Etc::sourceparts "{sources}";
APT::Sandbox::User "root";
Acquire::Languages "none";
Acquire::Retries "1";
Acquire::http::Timeout "20";
Acquire::https::Timeout "20";
"""


@dataclass(frozen=True)
class AptTarball:
    """A tarball as upstream made it, kept by the distribution as `<package>_<version>.orig.tar.<suffix>`."""

    path: Path
    version: str
    suffix: str


def source_tarball(package: str, workspace: Path) -> AptTarball | Ran:
    """Download the original tarball of `package` into `workspace`; what apt said when that did not work."""
    settings = _private_apt(workspace)
    update = run_here(
        ["apt-get", "-q", "-c", str(settings), "update"], directory=workspace, timeout_s=_UPDATE_TIMEOUT_S
    )
    # A repository without source packages fails the update as a whole; what counts is whether ours is there now.
    fetch = run_here(
        ["apt-get", "-q", "-c", str(settings), "source", "--download-only", "--tar-only", package],
        directory=workspace,
        timeout_s=_FETCH_TIMEOUT_S,
    )
    for path in sorted(workspace.glob(f"{package}_*.orig.tar.*")):
        match = re.fullmatch(rf"{re.escape(package)}_([0-9.]+)[^_]*\.orig\.tar\.(xz|gz|bz2)", path.name)
        if match:
            return AptTarball(path, match[1], match[2])
    return fetch if update.status == 0 else Ran(update.status, f"{update.output}\n{fetch.output}")


def _private_apt(workspace: Path) -> Path:
    state, cache, sources = (workspace / name for name in ("state", "cache", "sources"))
    for directory in (state / "lists/partial", cache / "archives/partial", sources):
        directory.mkdir(parents=True, exist_ok=True)
    (state / "status").touch()
    lines: list[str] = []
    parts = sorted(_SYSTEM_PARTS.iterdir()) if _SYSTEM_PARTS.is_dir() else []
    for path in (_SYSTEM_LIST, *parts):
        if path.suffix == ".list" and path.is_file():
            lines += source_lines(path.read_text(encoding="utf-8"))
        elif path.suffix == ".sources" and path.is_file():
            text = source_stanzas(path.read_text(encoding="utf-8"))
            (sources / path.name).write_text(text, encoding="utf-8")
    (sources / "provision.list").write_text("\n".join(dict.fromkeys(lines)) + "\n", encoding="utf-8")
    settings = workspace / "apt.conf"
    settings.write_text(_CONFIGURATION.format(state=state, cache=cache, sources=sources), encoding="utf-8")
    return settings


def source_lines(text: str) -> list[str]:
    """The entries of a one-line-style list as deb-src entries, options (signed-by) kept, comments left out."""
    return [
        re.sub(r"^\s*deb(-src)?(?=\s)", "deb-src", line)
        for line in text.splitlines()
        if re.match(r"\s*deb(-src)?\s", line)
    ]


def source_stanzas(text: str) -> str:
    """A deb822 file whose stanzas all name source packages; Signed-By and everything else kept."""
    return re.sub(r"(?mi)^Types:.*$", "Types: deb-src", text)
